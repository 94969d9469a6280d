using System.Text;
using SendProxy.Secrets;

namespace SendProxy.Receiving;

/// <summary>
/// The GET by which a vendor asks once whether the endpoint is meant: token compared, challenge given back as plain text.
/// https://developers.facebook.com/docs/graph-api/webhooks/getting-started
/// </summary>
internal static class Challenge
{
    private const int MaxLength = 1024;

    public static async Task AnswerAsync(HttpContext context, WebhookCall call, WatchedSecret token)
    {
        var query = context.Request.Query;
        var challenge = query["hub.challenge"].ToString();
        if (token.Set.Current is not { } secret)
        {
            await WebhookHandler.RefuseAsync(context, call, Rejection.SecretUnavailable);
            return;
        }

        if (query["hub.mode"].ToString() != "subscribe" || !secret.FixedTimeEquals(query["hub.verify_token"].ToString())
            || challenge.Length is 0 or > MaxLength)
        {
            await WebhookHandler.RefuseAsync(context, call, Rejection.ChallengeRefused);
            return;
        }

        call.Verdict = "challenged";
        var body = Encoding.UTF8.GetBytes(challenge);
        context.Response.ContentType = "text/plain; charset=utf-8";
        // The text that is given back came from outside: no browser may show it as a page.
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
