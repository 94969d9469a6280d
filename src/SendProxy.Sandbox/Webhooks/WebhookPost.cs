using System.Net.Http.Headers;

namespace SendProxy.Sandbox.Webhooks;

/// <summary>Posts one delivery once.</summary>
internal sealed class WebhookPost(WebhookOptions options, TimeProvider time) : IDisposable
{
    // What a receiver must refuse is any bytes that the secret does not explain.
    private const string WrongSecret = "d3Jvbmctc2VjcmV0LXdyb25nLXNlY3JldC0wMDAwMA==";

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        MaxConnectionsPerServer = options.MaxConcurrency,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private Destination? _target;

    /// <exception cref="FormatException">The secret does not fit the signature form.</exception>
    public void Use(WebhookTarget? target) => Volatile.Write(ref _target, target is null
        ? null
        : new Destination(target.Url, new WebhookSigner(target.Signature, target.Secret),
            new WebhookSigner(target.Signature, WrongSecret)));

    /// <returns>The status, or 0; and delivered, refused, timeout, unreachable.</returns>
    public async Task<(int Status, string Outcome)> SendAsync(Delivery delivery, CancellationToken stop)
    {
        if (Volatile.Read(ref _target) is not { } target) { return (0, "unreachable"); }
        using var timeout = new CancellationTokenSource(options.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        using var request = new HttpRequestMessage(HttpMethod.Post, target.Url);
        request.Content = new ByteArrayContent(delivery.Body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var signer = delivery.IsBadlySigned ? target.Wrong : target.Right;
        foreach (var header in signer.Sign(delivery.Id, time.GetUtcNow() + delivery.SignedShift, delivery.Body))
        {
            request.Headers.Add(header.Key, header.Value);
        }

        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            var status = (int)response.StatusCode;
            return (status, status == 200 ? "delivered" : "refused");
        }
        catch (HttpRequestException)
        {
            return (0, "unreachable");
        }
        catch (OperationCanceledException)
        {
            return (0, "timeout");
        }
    }

    public void Dispose() => _client.Dispose();

    private sealed record Destination(Uri Url, WebhookSigner Right, WebhookSigner Wrong);
}
