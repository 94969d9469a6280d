namespace SendProxy.Sending.Idempotency;

/// <summary>The scope in which a key is unique. Two routes with the same namespace share their keys; two upstreams never do.</summary>
internal readonly record struct IdempotencyKeyScope(string Upstream, string Namespace, string Key)
{
    public override string ToString() => $"{Upstream}\n{Namespace}\n{Key}";
}

/// <summary>What is asked before the first attempt.</summary>
/// <param name="Fingerprint">SHA-256 of the request: the same key with another request is refused.</param>
/// <param name="Lease">How long the record is the owner's; after it another one takes over.</param>
/// <param name="Lifetime">How long the record is kept: no longer than the vendor remembers the key.</param>
internal sealed record IdempotencyKeyClaim(IdempotencyKeyScope Scope, byte[] Fingerprint, TimeSpan Lease, TimeSpan Lifetime);

/// <summary>What a claim found.</summary>
internal enum ClaimVerdict
{
    /// <summary>The key is the caller's to use: new, or its owner is gone, or its last try ended without a final answer.</summary>
    Owned,

    /// <summary>Another request with this key is still running.</summary>
    Running,

    /// <summary>There is a final answer.</summary>
    Finished,

    /// <summary>The key was used with another request.</summary>
    Mismatch,

    /// <summary>An earlier request may have been carried out, its outcome is not known, and the vendor does not deduplicate.</summary>
    Unknown,

    /// <summary>The store cannot be asked.</summary>
    Unavailable,
}

/// <summary>A claim's result.</summary>
/// <param name="Token">A fencing token: only the current owner can end the record. 0 unless owned.</param>
/// <param name="StartedAt">When an attempt under this key may first have been sent; null where none was.</param>
/// <param name="Response">The stored answer; null unless finished.</param>
internal sealed record ClaimResult(ClaimVerdict Verdict, long Token = 0, DateTimeOffset? StartedAt = null, StoredResponse? Response = null)
{
    public static readonly ClaimResult Unavailable = new(ClaimVerdict.Unavailable);
}

/// <summary>How an owner ends a record.</summary>
internal enum IdempotencyRecordEnd
{
    /// <summary>A final answer is kept and replayed.</summary>
    Finished,

    /// <summary>Nothing final: the same key may be tried again.</summary>
    Open,

    /// <summary>It may have been carried out, and must not be tried again.</summary>
    Unknown,
}

/// <summary>
/// Records of keys that callers gave or content derived. One contract for both stores; every failure of a store is
/// <see cref="ClaimVerdict.Unavailable"/> or false, never an exception.
/// </summary>
internal interface IIdempotencyStore
{
    public ValueTask<ClaimResult> ClaimAsync(IdempotencyKeyClaim claim, CancellationToken cancellation);

    /// <summary>Ends the record if <paramref name="token"/> still owns it.</summary>
    /// <param name="answer">Not null with Finished.</param>
    /// <param name="started">When an attempt may first have been sent; null where none was.</param>
    /// <returns>False when the store could not be asked or another owner took over.</returns>
    public ValueTask<bool> EndAsync(IdempotencyKeyScope scope, long token, IdempotencyRecordEnd end, StoredResponse? answer, DateTimeOffset? started, CancellationToken cancellation);

    /// <summary>Completes when a running record of this scope may have ended, or after a short time.</summary>
    public Task WaitAsync(IdempotencyKeyScope scope, CancellationToken cancellation);
}
