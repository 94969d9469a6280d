using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Sending.RateLimiting;

/// <summary>
/// Names the values of <c>per</c> without saying them: HMAC-SHA-256, since a plain hash of a telephone number is undone by
/// trying all numbers.
/// </summary>
/// <param name="key">The same in the whole fleet; asked for once, at the first value.</param>
internal sealed class PartitionHash(Func<byte[]> key)
{
    private const int Bytes = 12;

    private readonly Lazy<byte[]> _key = new(key);

    /// <returns>24 hex digits.</returns>
    public string Of(string value)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key.Value, Encoding.UTF8.GetBytes(value), hash);
        return Convert.ToHexStringLower(hash[..Bytes]);
    }
}
