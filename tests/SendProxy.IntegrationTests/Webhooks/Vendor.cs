using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace SendProxy.IntegrationTests.Webhooks;

/// <summary>A vendor that signs as Standard Webhooks says; written apart from the proxy's own signing.</summary>
internal sealed class Vendor(Uri webhooks, string source = "sendapi") : IDisposable
{
    public const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private readonly HttpClient _client = new();

    public static string Sign(string secret, string id, string timestamp, byte[] body)
    {
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body]));
    }

    public static string Event(int number, string type = "message.delivered") =>
        $$$"""{"id":"evt_{{{number}}}","type":"{{{type}}}","created_at":"2026-11-24T07:00:00Z","data":{"message_id":"msg_{{{number}}}","to":"+4917000000"}}""";

    public Task<HttpResponseMessage> SendAsync(string body, string id, CancellationToken cancellation) =>
        SendAsync(Encoding.UTF8.GetBytes(body), id, null, cancellation);

    /// <param name="signature">Null: the right one.</param>
    public async Task<HttpResponseMessage> SendAsync(byte[] body, string id, string? signature, CancellationToken cancellation)
    {
        var timestamp = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(webhooks, $"/webhooks/{source}"))
        {
            Version = HttpVersion.Version11,
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", signature ?? Sign(Secret, id, timestamp, body));
        return await _client.SendAsync(request, cancellation);
    }

    public void Dispose() => _client.Dispose();
}
