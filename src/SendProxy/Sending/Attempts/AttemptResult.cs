using SendProxy.Errors;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Sending.Attempts;

/// <summary>What one attempt gave: an answer, or an error without one.</summary>
internal sealed record AttemptResult
{
    public required AttemptOutcome Outcome { get; init; }

    /// <summary>Of the vendor's response, also of one whose body broke off; null where none came.</summary>
    public int? Status { get; init; }

    /// <summary>Null where there is no usable answer.</summary>
    public HttpResponseMessage? Response { get; init; }

    /// <summary>The answer's body where it was buffered.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>False where the answer is streamed: then it cannot be kept.</summary>
    public bool IsBuffered { get; init; }

    public Meaning? Meaning { get; init; }

    public RateHint Hint { get; init; }

    /// <summary>Why there is no answer; null where there is one.</summary>
    public ProxyError? Error { get; init; }

    /// <summary>Why there was no connection, for people; null where the error says all that is known.</summary>
    public string? Cause { get; init; }

    /// <summary>False where repeating cannot help, whatever the table says: a refused address, an open breaker.</summary>
    public bool MayRepeat { get; init; } = true;

    public TimeSpan? RetryAfter { get; init; }

    public static AttemptResult Failed(AttemptOutcome outcome, ProxyError error, bool mayRepeat = true, TimeSpan? retryAfter = null) =>
        new() { Outcome = outcome, Error = error, MayRepeat = mayRepeat, RetryAfter = retryAfter };
}
