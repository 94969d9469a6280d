namespace SendProxy.Errors;

/// <summary>An answer of the proxy's own, as a value.</summary>
/// <param name="Error">What happened.</param>
/// <param name="Sent">Whether the upstream may have acted.</param>
/// <param name="Detail">One sentence that names the setting or the reason. Nothing from exceptions, no secret, no recipient.</param>
/// <param name="RetryAfter">How long until it is worth asking again; null where waiting does not help.</param>
internal sealed record Refusal(ProxyError Error, Sent Sent, string Detail, TimeSpan? RetryAfter = null)
{
    /// <summary>The status to answer where the error's own is not right: 404 for a listener, a source's own for webhooks.</summary>
    public int Status { get; init; } = ProxyErrorTable.Describe(Error).Status;

    /// <summary>A repetition with the same idempotency key meets the record of the first one, which holds it: clients may repeat.</summary>
    public bool RepetitionIsHeld { get; init; }

    /// <summary>Methods for the Allow header of a 405; null otherwise.</summary>
    public string? Allow { get; init; }

    public static Refusal NotSent(ProxyError error, string detail, TimeSpan? retryAfter = null) =>
        new(error, Sent.No, detail, retryAfter);
}
