using System.Collections.Frozen;
using SendProxy.Egress;
using SendProxy.Egress.Routing;
using SendProxy.Outbox.Messages;

namespace SendProxy.Composition;

/// <summary>Makes what the outbox runs on out of the routes that the local port runs on: both send on the same limits and connections.</summary>
internal static class OutboxComposer
{
    public static OutboxRoutes Compose(ProxySettings settings, EgressState egress) => new(
        settings.Outbox,
        (settings.UsesOutbox ? egress.Routes.All : []).ToFrozenDictionary(r => r.Name, Route, StringComparer.Ordinal));

    private static OutboxRoute Route(EgressRoute route) => new(
        route.Plan, route.Lanes, route.StoredLane, route.Options.Outbox,
        route.RateLimitFields is not { } fields ? null : (type, coding, body) =>
        {
            var (values, refusal) = fields.Read(type, coding, body);
            return new MessagePermits(values.Cost, values.Pers, refusal);
        });
}
