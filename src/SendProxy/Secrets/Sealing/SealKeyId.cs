using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace SendProxy.Secrets.Sealing;

/// <summary>
/// The public name of a seal key: the first 8 bytes of its SHA-256, written as 16 hex digits. Each sealed part carries
/// it, so that the key that opens an item can be named without the key.
/// </summary>
internal readonly record struct SealKeyId(ulong Value)
{
    public const int Bytes = 8;

    public static SealKeyId Of(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        return Read(hash);
    }

    /// <param name="id">At least 8 bytes; the first 8 are read.</param>
    public static SealKeyId Read(ReadOnlySpan<byte> id) => new(BinaryPrimitives.ReadUInt64BigEndian(id));

    public void Write(Span<byte> to) => BinaryPrimitives.WriteUInt64BigEndian(to, Value);

    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        Write(bytes);
        return bytes;
    }

    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}
