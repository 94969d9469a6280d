using System.Net.Http.Headers;
using System.Text;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>What a caller was told of its message.</summary>
internal enum Told
{
    /// <summary>2xx.</summary>
    Success,

    /// <summary>The vendor's last word that is no success, or an answer that broke off although the vendor acted.</summary>
    Answered,

    /// <summary><c>sent: no</c>.</summary>
    No,

    /// <summary><c>sent: maybe</c>.</summary>
    Maybe,

    /// <summary>No answer: the proxy was killed or not there, or the caller gave up.</summary>
    Nothing,
}

/// <summary>One call of one intent, as its caller saw it.</summary>
/// <param name="Blind">The proxy could not ask the store of keys, and said so.</param>
internal sealed record Call(string Intent, DateTimeOffset Began, DateTimeOffset Ended, Told Told, int Status, string Code, bool Blind)
{
    /// <summary>The vendor refused for good; asking again does not change it.</summary>
    public bool IsRefused => Told == Told.Answered && Status is >= 400 and < 500;
}

/// <summary>A message to be sent once, under a key of its own.</summary>
internal sealed record Intent(string Name, bool WhatsApp)
{
    private string Body => WhatsApp
        ? $$$"""{"session_id":"wa_main","to":"+491701234567","type":"text","text":"Hello","metadata":{"intent":"{{{Name}}}"}}"""
        : $$$"""{"to":"+491701234567","from":"Shop","text":"Hello","metadata":{"intent":"{{{Name}}}"}}""";

    /// <summary>Sends it once; how it ends is data, whatever happens.</summary>
    public async Task<Call> SendAsync(HttpClient client, Uri proxy, string? fault, TimeSpan patience, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(proxy, WhatsApp ? "/v1/whatsapp/send" : "/v1/sms/send"))
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Body)),
            Headers = { { "Idempotency-Key", $"key-{Name}" } },
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (fault is not null)
        {
            request.Headers.Add("X-Sandbox-Fault", fault);
        }

        var began = TimeProvider.System.GetUtcNow();
        using var patient = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patient.CancelAfter(patience);
        try
        {
            using var answer = await client.SendAsync(request, patient.Token);
            var told = answer.Header("SendProxy-Sent") switch
            {
                "no" when (int)answer.StatusCode is 400 or 404 or 413 or 422 && answer.Header("SendProxy-Error").Length == 0 => Told.Answered,
                "no" => Told.No,
                "maybe" => Told.Maybe,
                "yes" => answer.IsSuccessStatusCode ? Told.Success : Told.Answered,
                _ => Told.Nothing,
            };
            return new Call(Name, began, TimeProvider.System.GetUtcNow(), told, (int)answer.StatusCode,
                answer.Header("SendProxy-Error"), answer.Header("SendProxy-Idempotency") == "vendor");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return new Call(Name, began, TimeProvider.System.GetUtcNow(), Told.Nothing, 0, e.GetType().Name, true);
        }
    }
}
