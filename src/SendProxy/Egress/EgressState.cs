using SendProxy.Egress.Admission;
using SendProxy.Egress.Routing;

namespace SendProxy.Egress;

/// <summary>What requests at the local port are judged by: immutable, swapped whole at a reload.</summary>
/// <param name="MaxInFlight">Requests at once.</param>
internal sealed record EgressState(RouteTable Routes, Guard Guard, int MaxInFlight);
