namespace SendProxy.Sandbox.Answers;

/// <summary>How limits are told in headers: vendors differ in each point.</summary>
internal sealed record RateHeaderOptions
{
    /// <summary>Default <see cref="RateHeaderNames.XRateLimit"/>.</summary>
    public RateHeaderNames Names { get; init; } = RateHeaderNames.XRateLimit;

    /// <summary>Default <see cref="ResetForm.Seconds"/>.</summary>
    public ResetForm Reset { get; init; } = ResetForm.Seconds;

    /// <summary>Default <see cref="RetryAfterForm.Seconds"/>.</summary>
    public RetryAfterForm RetryAfter { get; init; } = RetryAfterForm.Seconds;

    /// <summary>What remains is told in whole multiples of this, rounded down. From 1, the default: exactly.</summary>
    public int RemainingStep { get; init; } = 1;

    /// <summary>What remains is told as it was so many answers ago. Default 0: now.</summary>
    public int RemainingLag { get; init; }
}

/// <summary>Which headers tell the limit.</summary>
internal enum RateHeaderNames
{
    /// <summary><c>X-RateLimit-Limit</c>, <c>-Remaining</c>, <c>-Reset</c>.</summary>
    XRateLimit,

    /// <summary><c>RateLimit-Limit</c>, <c>-Remaining</c>, <c>-Reset</c> of draft-ietf-httpapi-ratelimit-headers-06 and before.</summary>
    RateLimit,

    /// <summary><c>RateLimit</c> and <c>RateLimit-Policy</c> of draft-ietf-httpapi-ratelimit-headers-10.</summary>
    Draft,

    /// <summary>No header tells it.</summary>
    None,
}

/// <summary>What <c>X-RateLimit-Reset</c> and <c>RateLimit-Reset</c> count.</summary>
internal enum ResetForm
{
    /// <summary>Seconds left, rounded up.</summary>
    Seconds,

    /// <summary>Milliseconds left, rounded up.</summary>
    Milliseconds,

    /// <summary>Seconds left with three decimals, rounded up.</summary>
    Decimal,

    /// <summary>Unix time in seconds, rounded up.</summary>
    Unix,

    /// <summary>Unix time in milliseconds.</summary>
    UnixMs,

    /// <summary>The header is left out.</summary>
    Absent,
}

/// <summary>What <c>Retry-After</c> holds (RFC 9110, section 10.2.3).</summary>
internal enum RetryAfterForm
{
    /// <summary>Seconds, rounded up.</summary>
    Seconds,

    /// <summary>An HTTP date, rounded up to the second.</summary>
    HttpDate,

    /// <summary>The header is left out.</summary>
    Absent,
}
