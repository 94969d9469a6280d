using System.Security.Cryptography;
using System.Text;
using SendProxy.Secrets.Sealing;

namespace SendProxy.Queueing.Sealed;

/// <summary>A new item ready to be stored: with its id, sealed on the caller's thread, its dedupe key hashed.</summary>
internal sealed record SealedItem(NewItem Item, Guid Id, byte[] Metadata, byte[] Body, DedupeKeyHash? DedupeHash)
{
    /// <summary>How many lanes there are.</summary>
    public const int Lanes = 3;

    /// <summary>Its sealed parts.</summary>
    public int SealedBytes => Metadata.Length + Body.Length;

    public static SealedItem Create(NewItem item, ItemSeal seal, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(item.Lane, Lanes);
        ArgumentOutOfRangeException.ThrowIfNegative(item.Lane);
        var id = item.Id ?? Secrets.RandomId.Next(time.GetUtcNow());
        return new SealedItem(
            item, id,
            seal.Seal(item.Metadata.Span, new SealContext(item.Queue, id, item.Route, SealPart.Metadata)),
            seal.Seal(item.Body.Span, new SealContext(item.Queue, id, item.Route, SealPart.Body)),
            item.Dedupe is { } dedupe ? DedupeKeyHash.Of(dedupe.Key) : null);
    }
}

/// <summary>The first half of a name's SHA-256, in two parts of 8 bytes; the index is over the first.</summary>
internal readonly record struct DedupeKeyHash(byte[] Head, byte[] Rest)
{
    private const int PartBytes = 8;

    public static DedupeKeyHash Of(string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        return new DedupeKeyHash(hash[..PartBytes].ToArray(), hash.Slice(PartBytes, PartBytes).ToArray());
    }
}
