using System.Security.Cryptography;

namespace SendProxy.Secrets;

/// <summary>
/// The system's randomness, read for many at once: Guid reads /dev/urandom for each, OpenSSL looks each time whether the process was
/// forked (docs/decisions/0024).
/// </summary>
internal static class BufferedRandom
{
    private const int BufferBytes = 1024;

    private static readonly ThreadLocal<Batch> Batches = new(() => new Batch());

    /// <param name="bytes">At most 1024 bytes.</param>
    public static void Fill(Span<byte> bytes) => Batches.Value!.Take(bytes);

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
