using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Egress.Recipients;

/// <summary>
/// Names recipients without saying who they are: HMAC-SHA-256 under a key that this process drew. A plain hash of a telephone
/// number is undone by trying all numbers.
/// </summary>
internal sealed class RecipientHash
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    public UInt128 Of(string text)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(text), hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    /// <returns>16 hex digits, for logs: the same recipient has the same until the process ends.</returns>
    public static string Shown(UInt128 hash) => ((ulong)(hash >> 64)).ToString("x16", CultureInfo.InvariantCulture);
}
