using SendProxy.Egress.Admission;
using SendProxy.Egress.Routing;
using SendProxy.Upstreams;

namespace SendProxy.Egress;

/// <summary>What requests at the local port are judged by: immutable, swapped whole at a reload.</summary>
/// <param name="MaxInFlight">Requests at once.</param>
/// <param name="LiveKeys">What a live key of any upstream looks like: it has no business in a caller's request.</param>
internal sealed record EgressState(RouteTable Routes, Guard Guard, int MaxInFlight, IReadOnlyList<CredentialPattern> LiveKeys);
