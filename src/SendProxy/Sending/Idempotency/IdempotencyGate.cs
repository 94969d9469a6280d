using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Sending.Idempotency;

/// <summary>What the gate says of a send with a key that outlives the request.</summary>
/// <param name="Token">The owner's; 0 where no record is kept.</param>
/// <param name="StartedAt">When an earlier attempt under this key may have been sent.</param>
/// <param name="Replay">An earlier answer, to be given again.</param>
/// <param name="Refusal">Why it is not sent.</param>
/// <param name="StoreUnavailable">The store cannot be asked, or the body is streamed; the vendor alone deduplicates.</param>
/// <param name="IsUncertain">The store did not answer: an earlier request under this key may have been sent, by whatever process.</param>
internal readonly record struct IdempotencyDecision(
    long Token = 0, DateTimeOffset? StartedAt = null, StoredResponse? Replay = null, Refusal? Refusal = null, bool StoreUnavailable = false, bool IsUncertain = false)
{
    /// <summary>What may be said of the message before this send has begun an attempt: the one place that decides it.</summary>
    public Sent SentBefore => StartedAt is null && !IsUncertain ? Sent.No : Sent.Maybe;
}

/// <summary>
/// Decides whether a send may begin whose key came from the caller or from its content. It replays an earlier answer, waits for a
/// request with the same key that is still running, refuses, or lets the send through. A key that the proxy made for one request needs no store.
/// </summary>
internal sealed class IdempotencyGate(Func<IIdempotencyStore?> store, UnrecordedSends unrecorded, IdempotencyMetrics metrics, TimeProvider time)
{
    // The lease is longer than timeouts.total: once it is over, no attempt of its owner can still be running.
    private static readonly TimeSpan LeaseSlack = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    /// <summary>An attempt is sent only within this share of the key's lifetime, counted from what may have been the first attempt.</summary>
    public const double LifetimeShare = 0.9;

    public static bool Guards(IdempotencyKey key) => key.Origin is IdempotencyKeyOrigin.Caller or IdempotencyKeyOrigin.Derived;

    /// <summary>Claims the key, waiting for a running twin within the message's deadline.</summary>
    public async ValueTask<IdempotencyDecision> EnterAsync(OutboundMessage message, CancellationToken caller)
    {
        var carrier = message.Carrier;
        if (message.Streamed is not null)
        {
            return ForStreamed(message);
        }

        if (store() is not { } records)
        {
            return WithoutStore(message, "neither fleet.redis nor a journal is configured", isUncertain: false);
        }

        var claim = Claim(message);
        while (true)
        {
            var found = await records.ClaimAsync(claim, caller);
            if (found.Verdict == ClaimVerdict.Owned && unrecorded.StartedAt(claim.Scope) is { } before)
            {
                // An attempt was sent while the store was unavailable, and the store does not know of it yet.
                found = found with { StartedAt = found.StartedAt is { } known && known < before ? known : before };
            }

            metrics.Claimed(message.Plan.Route, found.Verdict);
            switch (found.Verdict)
            {
                case ClaimVerdict.Owned when found.StartedAt is not null && !carrier.Deduplicates:
                    await records.EndAsync(claim.Scope, found.Token, IdempotencyRecordEnd.Unknown, null, found.StartedAt, caller);
                    return new IdempotencyDecision(Refusal: UnknownOutcome("its owner ended in the middle"));
                case ClaimVerdict.Owned when found.StartedAt is { } first && time.GetUtcNow() - first > carrier.Lifetime * LifetimeShare:
                    await records.EndAsync(claim.Scope, found.Token, IdempotencyRecordEnd.Unknown, null, first, caller);
                    return new IdempotencyDecision(Refusal: UnknownOutcome("the vendor may have forgotten the key since"));
                case ClaimVerdict.Owned:
                    return new IdempotencyDecision(found.Token, found.StartedAt);
                case ClaimVerdict.Finished:
                    return new IdempotencyDecision(Replay: found.Response);
                case ClaimVerdict.Mismatch:
                    return new IdempotencyDecision(Refusal: Refusal.NotSent(
                        ProxyError.IdempotencyKeyReused, "The key was first used with another method, target, content type or body."));
                case ClaimVerdict.Unknown:
                    return new IdempotencyDecision(Refusal: UnknownOutcome("its answer never came"));
                case ClaimVerdict.Unavailable:
                    return WithoutStore(message, "the store of keys does not answer", isUncertain: true);
            }

            var left = message.Deadline.Left;
            if (left <= TimeSpan.Zero)
            {
                return new IdempotencyDecision(Refusal: new Refusal(
                    ProxyError.IdempotencyKeyInUse, Sent.Maybe, "A request with this key is still running, longer than this one may wait.", AskAgain)
                { RepetitionIsHeld = true });
            }

            using var bounded = CancellationTokenSource.CreateLinkedTokenSource(caller);
            bounded.CancelAfter(left);
            await records.WaitAsync(claim.Scope, bounded.Token);
            caller.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Records how it ended. After this a twin gets the same answer. The answer is copied before this yields.</summary>
    /// <param name="started">When an attempt may first have been sent; null where none was.</param>
    public async ValueTask LeaveAsync(OutboundMessage message, IdempotencyDecision pass, AttemptResult? result, Sent sent, DateTimeOffset? started)
    {
        if (pass.Token == 0 || store() is not { } records)
        {
            Remember(message, sent, started);
            return;
        }

        // The preset decides by meaning: a 422 that says that a session is down will pass, and must not be replayed for a day.
        var answer = result is { Response: { } received, Meaning: Meaning.Success or Meaning.Permanent } ? StoredResponse.From(received, result.Body, result.IsBuffered, sent) : null;
        var deduplicates = message.Carrier.Deduplicates;

        // Only an answer that decides the matter is kept for the lifetime of the key. A refusal by which nothing was done (no balance, a disabled channel) may
        // pass. After an attempt that may have been carried out a refusal decides nothing either, and a vendor that deduplicates tells
        // the truth when it is asked again.
        var decided = answer is not null && (sent == Sent.Yes || (sent == Sent.Maybe && !deduplicates));
        var end = decided ? IdempotencyRecordEnd.Finished
            : deduplicates || sent == Sent.No ? IdempotencyRecordEnd.Open
            : IdempotencyRecordEnd.Unknown;
        if (!await records.EndAsync(Scope(message), pass.Token, end, decided ? answer : null, started, CancellationToken.None))
        {
            metrics.Unrecorded(message.Plan.Route);
            Remember(message, sent, started);
        }
    }

    /// <summary>Tells the store, once it answers again, what was sent while it was unavailable. Only the end of the process needs to wait for this.</summary>
    public Task TellUnrecordedAsync() => store() is { } records ? unrecorded.TellAsync(records) : Task.CompletedTask;

    private static IdempotencyKeyClaim Claim(OutboundMessage message) => new(
        Scope(message), RequestFingerprint.Of(message), message.Plan.Pipeline.Upstream.Options.Timeouts.Total + LeaseSlack,
        message.Carrier.Lifetime);

    private void Remember(OutboundMessage message, Sent sent, DateTimeOffset? started)
    {
        if (started is { } at && sent != Sent.No && Guards(message.IdempotencyKey))
        {
            unrecorded.Add(Scope(message), message.Streamed is null ? Claim(message) : null, at);
        }
    }

    private static IdempotencyKeyScope Scope(OutboundMessage message) =>
        new(message.Plan.Pipeline.Upstream.Name, message.Plan.KeyNamespace, message.IdempotencyKey.Value);

    private static Refusal UnknownOutcome(string why) => new(
        ProxyError.OutcomeUnknown, Sent.Maybe, $"A request with this key may have been carried out: {why}, and the vendor does not deduplicate.");

    // The fingerprint of a streamed body is known only after the body was sent: too late to replay or to refuse. A vendor that deduplicates does both.
    private static IdempotencyDecision ForStreamed(OutboundMessage message) =>
        message.Carrier.Deduplicates
            ? new IdempotencyDecision(StoreUnavailable: true)
            : new IdempotencyDecision(Refusal: Refusal.NotSent(ProxyError.BodyTooLarge,
                "The body is larger than the route's maxBody, it has an Idempotency-Key, and the vendor does not deduplicate: it could not be compared with an earlier one."));

    // A vendor that deduplicates needs no store. What this process itself knows of the key still counts.
    private IdempotencyDecision WithoutStore(OutboundMessage message, string why, bool isUncertain)
    {
        var carrier = message.Carrier;
        var known = unrecorded.StartedAt(Scope(message));
        var decision = new IdempotencyDecision(StartedAt: known, StoreUnavailable: true, IsUncertain: isUncertain);
        if (!carrier.Deduplicates)
        {
            return new IdempotencyDecision(Refusal: new Refusal(
                ProxyError.IdempotencyStoreUnavailable, decision.SentBefore, $"The vendor does not deduplicate, and {why}: the key could not be kept.", AskAgain)
            { RepetitionIsHeld = true });
        }

        return known is { } first && time.GetUtcNow() - first > carrier.Lifetime * LifetimeShare
            ? new IdempotencyDecision(Refusal: UnknownOutcome("the vendor may have forgotten the key since"))
            : decision;
    }
}
