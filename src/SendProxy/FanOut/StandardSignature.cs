using System.Globalization;
using System.Text;
using SendProxy.Secrets;

namespace SendProxy.FanOut;

/// <summary>Signs as Standard Webhooks says: <c>{id}.{timestamp}.{body}</c> under HMAC-SHA256, <c>v1,</c> and base64, one for each key.</summary>
internal static class StandardSignature
{
    /// <returns>Value of <c>webhook-signature</c>; null where there is no key.</returns>
    public static string? Sign(IReadOnlyList<SigningKey> keys, string id, string timestamp, ReadOnlyMemory<byte> body)
    {
        if (keys.Count == 0)
        {
            return null;
        }

        var head = Encoding.UTF8.GetBytes($"{id}.{timestamp}.");
        return string.Join(' ', keys.Select(k => $"v1,{Convert.ToBase64String(k.Sign(head, body))}"));
    }

    /// <returns>Value of <c>webhook-timestamp</c>.</returns>
    public static string Timestamp(DateTimeOffset now) => now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
}
