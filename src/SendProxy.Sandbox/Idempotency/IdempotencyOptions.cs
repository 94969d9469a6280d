namespace SendProxy.Sandbox.Idempotency;

/// <summary>How the vendor treats <c>Idempotency-Key</c>.</summary>
internal sealed record IdempotencyOptions
{
    /// <summary>Default <see cref="IdempotencyMode.Strict"/>.</summary>
    public IdempotencyMode Mode { get; init; } = IdempotencyMode.Strict;

    /// <summary>Default <see cref="IdempotencyScope.Account"/>.</summary>
    public IdempotencyScope Scope { get; init; } = IdempotencyScope.Account;

    /// <summary>Keys are forgotten after this long. Default 24 h.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Keys remembered at most; the oldest gives way. Default 500,000; some 600 bytes each.</summary>
    public int MaxRecords { get; init; } = 500_000;
}

/// <summary>What is compared and stored: vendors differ.</summary>
internal enum IdempotencyMode
{
    /// <summary>Compares the body's bytes; stores 2xx and final 4xx of what was done, whatever was answered.</summary>
    Strict,

    /// <summary>Compares; stores what was answered with 2xx: after an error it sends again [Telnyx].</summary>
    SuccessOnly,

    /// <summary>Stores like strict, but another body gets the first one's answer [Emailit].</summary>
    NoCompare,

    /// <summary>Compares; stores every answer but 401, 409, 429, 503, so a 500 is repeated [Stripe].</summary>
    StoreErrors,

    /// <summary>The header is not looked at: each request has an effect [Twilio].</summary>
    Ignored,
}

/// <summary>Within what a key is unique, besides method and path.</summary>
internal enum IdempotencyScope
{
    /// <summary>All API keys of one account share.</summary>
    Account,

    /// <summary>Each API key has its own, so a retry under another API key is a new request.</summary>
    ApiKey,
}
