using SendProxy.Egress.Admission;
using SendProxy.Egress.Routing;
using SendProxy.Outbox.Messages;

namespace SendProxy.Egress;

/// <summary>What requests at the local port are judged by: immutable, swapped whole at a reload.</summary>
/// <param name="MaxInFlight">Requests at once.</param>
/// <param name="Outbox">Null where messages cannot be stored.</param>
internal sealed record EgressState(RouteTable Routes, Guard Guard, int MaxInFlight, OutboxOptions? Outbox = null);
