using System.Buffers.Binary;

namespace SendProxy.Secrets;

/// <summary>Ids that nobody can guess.</summary>
internal static class RandomId
{
    private const int IdBytes = 16;

    /// <returns>UUIDv7 (RFC 9562, 5.7): sorts by time, 74 bits of it random.</returns>
    public static Guid Next(DateTimeOffset now)
    {
        Span<byte> id = stackalloc byte[IdBytes];
        BufferedRandom.Fill(id[6..]);
        Span<byte> at = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(at, now.ToUnixTimeMilliseconds());
        at[2..].CopyTo(id);
        id[6] = (byte)((id[6] & 0x0f) | 0x70);
        id[8] = (byte)((id[8] & 0x3f) | 0x80);
        return new Guid(id, bigEndian: true);
    }
}
