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
}

/// <summary>Which headers tell the limit.</summary>
internal enum RateHeaderNames
{
    /// <summary><c>X-RateLimit-Limit</c>, <c>-Remaining</c>, <c>-Reset</c>.</summary>
    XRateLimit,

    /// <summary><c>RateLimit</c> and <c>RateLimit-Policy</c> of draft-ietf-httpapi-ratelimit-headers-10.</summary>
    Draft,

    /// <summary>No header tells it.</summary>
    None,
}

/// <summary>What <c>X-RateLimit-Reset</c> counts.</summary>
internal enum ResetForm
{
    /// <summary>Seconds left, rounded up.</summary>
    Seconds,

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
