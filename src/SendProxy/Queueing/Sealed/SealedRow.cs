using SendProxy.Secrets.Sealing;

namespace SendProxy.Queueing.Sealed;

/// <summary>An item as a store gave it: everything but its sealed parts in <see cref="Item"/>, those beside it.</summary>
/// <param name="Response">Null where there is none or it was not asked for; likewise the body.</param>
internal sealed record SealedRow(StoredItem Item, long Token, byte[] Metadata, byte[]? Body = null, byte[]? Response = null)
{
    /// <summary>The key that it was sealed with.</summary>
    public SealKeyId SealKey => ItemSeal.KeyOf(Metadata);

    /// <summary>The item with what opens of its sealed parts; null stands for what does not.</summary>
    public StoredItem Open(ItemSeal seal) => Item with
    {
        Metadata = Open(seal, Metadata, SealPart.Metadata),
        Body = Open(seal, Body, SealPart.Body),
        Response = Item.Response is { } response
            ? response with { Body = Open(seal, Response, SealPart.Response).GetValueOrDefault() }
            : null,
    };

    // Not by ?: - its null would become an empty memory, by the conversion from a null array.
    private ReadOnlyMemory<byte>? Open(ItemSeal seal, byte[]? stored, SealPart part)
    {
        var context = new SealContext(Item.Queue, Item.Id, Item.Route, part);
        if (stored is not null && seal.TryOpen(stored, context, out var plain))
        {
            return plain;
        }

        return null;
    }
}
