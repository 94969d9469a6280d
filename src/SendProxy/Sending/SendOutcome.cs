using SendProxy.Errors;

namespace SendProxy.Sending;

/// <summary>How a send ended: the vendor's answer or the proxy's refusal, and what happened on the way.</summary>
internal sealed class SendOutcome
{
    /// <summary>The vendor's answer, scrubbed; null where there is a refusal. Owned by who receives the outcome.</summary>
    public HttpResponseMessage? Response { get; init; }

    /// <summary>The answer's body where it was buffered: then the content is read already and has headers only. Null where it is to be read.</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>The answer is passed on as it comes: it is not kept, and may still break off.</summary>
    public bool IsStreamed { get; init; }

    /// <summary>Null where there is an answer.</summary>
    public Refusal? Refusal { get; init; }

    /// <summary>Attempts that were begun; 0 when none was.</summary>
    public required int Attempts { get; init; }

    /// <summary>How long it waited for permits, of all attempts together; not the pauses between them.</summary>
    public required TimeSpan Queued { get; init; }

    /// <summary>Whether the vendor may have acted; Yes with an answer.</summary>
    public required Sent Sent { get; init; }

    /// <summary>What became of the last attempt; null where none was begun by this send.</summary>
    public Attempts.AttemptOutcome? LastOutcome { get; init; }

    /// <summary>What the last response means; null where there was none.</summary>
    public Upstreams.Responses.Meaning? Meaning { get; init; }

    /// <summary>What the vendor, or the limit, asked to wait before another try; null where nobody did.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The vendor's id of the message; null where its answer names none.</summary>
    public string? MessageId { get; init; }

    /// <summary>First 8 hex of SHA-256 of the key used last; null where none was.</summary>
    public string? KeyFingerprint { get; init; }

    /// <summary>The answer is an earlier one, given again.</summary>
    public bool IsReplay { get; init; }

    /// <summary>The store of keys could not be asked, or the body was streamed: the vendor alone deduplicates.</summary>
    public bool StoreUnavailable { get; init; }

    /// <summary>How its permits were obtained; Off where it has none.</summary>
    public RateLimiting.PermitMode Limiter { get; init; }

    /// <summary>What the vendor says is left of its limit; null where it does not say.</summary>
    public long? VendorRemaining { get; init; }
}
