using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SendProxy.Secrets;

/// <summary>
/// Ids that nobody can guess, of the system's randomness. It is read for many at once: Guid reads /dev/urandom for each
/// (docs/decisions/0024).
/// </summary>
internal static class RandomId
{
    private const int BufferBytes = 1024;
    private const int IdBytes = 16;

    private static readonly ThreadLocal<Batch> Batches = new(() => new Batch());

    /// <returns>UUIDv7 (RFC 9562, 5.7) in lower case: sorts by time, 74 bits of it random.</returns>
    public static string Next(DateTimeOffset now)
    {
        Span<byte> id = stackalloc byte[IdBytes];
        Batches.Value!.Take(id[6..]);
        Span<byte> at = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(at, now.ToUnixTimeMilliseconds());
        at[2..].CopyTo(id);
        id[6] = (byte)((id[6] & 0x0f) | 0x70);
        id[8] = (byte)((id[8] & 0x3f) | 0x80);
        return new Guid(id, bigEndian: true).ToString();
    }

    /// <summary>What one thread has read and not used yet.</summary>
    private sealed class Batch
    {
        private readonly byte[] _random = new byte[BufferBytes];
        private int _left;

        public void Take(Span<byte> bytes)
        {
            if (_left < bytes.Length)
            {
                RandomNumberGenerator.Fill(_random);
                _left = _random.Length;
            }

            var taken = _random.AsSpan(_left - bytes.Length, bytes.Length);
            taken.CopyTo(bytes);

            // Nobody who reads the memory later learns what a key was made of.
            taken.Clear();
            _left -= bytes.Length;
        }
    }
}
