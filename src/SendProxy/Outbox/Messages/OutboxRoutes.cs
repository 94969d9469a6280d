using System.Collections.Frozen;
using SendProxy.Errors;
using SendProxy.Sending;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Outbox.Messages;

/// <summary>What a message takes of its limits.</summary>
/// <param name="Cost">Permits of each.</param>
/// <param name="Pers">For each limit whose it is, hashed; null where none asks.</param>
/// <param name="Refusal">Null where it could be read.</param>
internal readonly record struct MessagePermits(int Cost, IReadOnlyList<string?>? Pers, Refusal? Refusal = null)
{
    public static readonly MessagePermits One = new(1, null);
}

/// <summary>A route as the outbox sends on it.</summary>
/// <param name="Permits">Reads of content type, coding and body what it takes of the limits; null: one of each.</param>
internal sealed record OutboxRoute(
    SendPlan Plan, LaneTable Lanes, Lane Lane, RouteOutboxOptions Options, Func<string?, string, ReadOnlyMemory<byte>, MessagePermits>? Permits)
{
    public string Upstream => Plan.Pipeline.Upstream.Name;
}

/// <summary>What the outbox runs on; swapped whole at a reload.</summary>
internal sealed record OutboxRoutes(OutboxOptions Options, FrozenDictionary<string, OutboxRoute> ByName)
{
    private readonly FrozenDictionary<string, IReadOnlySet<string>> _others = ByName.Values.Select(r => r.Upstream).Distinct(StringComparer.Ordinal).ToFrozenDictionary(
        upstream => upstream,
        upstream => (IReadOnlySet<string>)ByName.Where(r => r.Value.Upstream != upstream).Select(r => r.Key).ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);

    public IEnumerable<string> Upstreams => _others.Keys;

    public bool Has(string upstream) => _others.ContainsKey(upstream);

    /// <returns>Routes of all other upstreams: who sends for this one leaves them alone.</returns>
    public IReadOnlySet<string> Others(string upstream) => _others[upstream];
}
