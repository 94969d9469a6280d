using SendProxy.Sending.Idempotency;
using SendProxy.Upstreams;

namespace SendProxy.Outbox.Messages;

/// <summary>How long a message may go out again under its idempotency key: an item's deadline, set before the first attempt that may have been sent.</summary>
internal static class KeyLifetime
{
    /// <returns>Null where the vendor does not deduplicate: no key helps there.</returns>
    public static DateTimeOffset? UsableUntil(IdempotencyCarrier carrier, DateTimeOffset firstAttempt) =>
        carrier.Deduplicates ? firstAttempt + (carrier.Lifetime * IdempotencyGate.LifetimeShare) : null;

    /// <returns>When the first attempt may have been sent, by the deadline that was stored then; the item's arrival where none was.</returns>
    public static DateTimeOffset FirstAttempt(IdempotencyCarrier carrier, DateTimeOffset? usableUntil, DateTimeOffset created)
    {
        var first = usableUntil - (carrier.Lifetime * IdempotencyGate.LifetimeShare);
        return first > created ? first.Value : created;
    }
}
