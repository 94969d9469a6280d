using System.Diagnostics.Metrics;
using Polly;

namespace InProcess;

/// <summary>One message: a permit, then the request with the key and an idempotency key that stays the same over all attempts.</summary>
internal sealed class Sender(HttpClient client, ResiliencePipeline<HttpResponseMessage> pipeline, RedisLimit limit, Uri upstream)
{
    private static readonly Counter<long> Sent = new Meter("InProcess").CreateCounter<long>("messages_sent_total");

    public async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream((int)(context.Request.ContentLength ?? 0));
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        if (await limit.AcquireAsync() > TimeSpan.Zero)
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return;
        }

        var key = Guid.NewGuid().ToString();
        var address = new Uri(upstream, context.Request.Path.Value);
        var bytes = new ReadOnlyMemory<byte>(body.GetBuffer(), 0, (int)body.Length);
        using var answer = await pipeline.ExecuteAsync(async token => await SendAsync(address, bytes, key, token), context.RequestAborted);
        Sent.Add(1, new KeyValuePair<string, object?>("status", (int)answer.StatusCode));
        context.Response.StatusCode = (int)answer.StatusCode;
        context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
        context.Response.ContentLength = answer.Content.Headers.ContentLength;
        await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private async Task<HttpResponseMessage> SendAsync(Uri address, ReadOnlyMemory<byte> body, string key, CancellationToken token)
    {
        using var content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new("application/json") } };
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
    }
}
