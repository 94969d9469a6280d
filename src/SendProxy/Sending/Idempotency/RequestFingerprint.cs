using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Sending.Idempotency;

/// <summary>SHA-256 over what makes a request the same: method, route, target, content type and body, each after its length.</summary>
internal static class RequestFingerprint
{
    public static byte[] Of(OutboundMessage message) => Of(
        message.Method.Method, message.Plan.Route, message.PathAndQuery,
        message.Headers.FirstOrDefault(h => h.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)).Value ?? "",
        message.Body.Memory.Span);

    public static byte[] Of(string method, string route, string target, string contentType, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, Encoding.UTF8.GetBytes(method));
        Add(hash, Encoding.UTF8.GetBytes(route));
        Add(hash, Encoding.UTF8.GetBytes(target));
        Add(hash, Encoding.UTF8.GetBytes(contentType));
        Add(hash, body);
        return hash.GetHashAndReset();
    }

    /// <summary>The key of a request whose application sends none: the same content gives the same key within a window.</summary>
    /// <param name="window">
    /// Begins at a time of the content's own, so that what many send at a full hour is not all split by a window's end. A repetition
    /// just after the end gets another key: the window is a bound, not a promise. docs/decisions/0023.
    /// </param>
    public static string Derive(byte[] fingerprint, TimeSpan window, DateTimeOffset now)
    {
        var seconds = Math.Max(1, (long)window.TotalSeconds);
        var phase = (long)(BinaryPrimitives.ReadUInt64BigEndian(fingerprint.AsSpan(16)) % (ulong)seconds);
        return $"d{(now.ToUnixTimeSeconds() + phase) / seconds:x}-{Convert.ToHexStringLower(fingerprint.AsSpan(0, 16))}";
    }

    private static void Add(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
    }
}
