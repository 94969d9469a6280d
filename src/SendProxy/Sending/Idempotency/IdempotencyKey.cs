namespace SendProxy.Sending.Idempotency;

/// <summary>Who made a key: what <c>SendProxy-Idempotency</c> says.</summary>
internal enum IdempotencyKeyOrigin
{
    /// <summary>The method needs none, or the vendor takes none.</summary>
    None,

    /// <summary>The application sent it.</summary>
    Caller,

    /// <summary>Made from the content.</summary>
    Derived,

    /// <summary>Made by the proxy for this one request.</summary>
    Generated,
}

/// <summary>The key under which a vendor recognises a repeated request (draft-ietf-httpapi-idempotency-key-header-07).</summary>
/// <param name="Value">1 to 255 visible ASCII characters; empty where the origin is None.</param>
internal readonly record struct IdempotencyKey(string Value, IdempotencyKeyOrigin Origin)
{
    public const string Header = "Idempotency-Key";
    public const int MaxLength = 255;

    public static readonly IdempotencyKey None = new("", IdempotencyKeyOrigin.None);

    /// <returns>UUIDv7 in lower case: sorts by time and is unique without a store.</returns>
    public static IdempotencyKey Generate(TimeProvider time) =>
        new(Secrets.RandomId.Next(time.GetUtcNow()).ToString(), IdempotencyKeyOrigin.Generated);

    /// <summary>
    /// The draft makes it a structured string with quotes; vendors and their SDKs send it bare. Both are taken, and what the
    /// caller wrote goes upstream unchanged.
    /// </summary>
    /// <returns>False for an empty, too long or non-ASCII key.</returns>
    public static bool TryParse(string text, out IdempotencyKey key)
    {
        var ok = text.Length is > 0 and <= MaxLength && text.All(c => c is > ' ' and < '\x7f');
        key = ok ? new IdempotencyKey(text, IdempotencyKeyOrigin.Caller) : None;
        return ok;
    }

    /// <returns>The word of <c>SendProxy-Idempotency</c>.</returns>
    public string Word => Origin switch
    {
        IdempotencyKeyOrigin.Caller => "caller",
        IdempotencyKeyOrigin.Derived => "derived",
        IdempotencyKeyOrigin.Generated => "generated",
        _ => "none",
    };
}
