using SendProxy.Egress.Bodies;
using SendProxy.Egress.Recipients;
using SendProxy.Errors;
using SendProxy.Sending;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Egress.Routing;

/// <summary>A route with what its requests need, looked up once.</summary>
internal sealed class EgressRoute(EgressRouteOptions options, SendPlan plan, RecipientCheck? recipients, LaneTable lanes, RateLimitFields? limitFields)
{
    public EgressRouteOptions Options => options;

    public SendPlan Plan => plan;

    /// <summary>Null where nothing of a body is read.</summary>
    public RecipientCheck? Recipients => recipients;

    /// <summary>Null where no limit reads a field of a body.</summary>
    public RateLimitFields? RateLimitFields => limitFields;

    public LaneTable Lanes => lanes;

    /// <summary>For requests that do not say another.</summary>
    public Lane Lane { get; } = (options.Lane is { } name ? lanes.Find(name) : null) ?? lanes.Usual;

    /// <summary>What reads a field of it, or writes one, needs it whole.</summary>
    public BodyLimits Body { get; } = limitFields is not null ? options.Body.Unstreamed("a limit's per, or routes[].cost")
        : plan?.Pipeline.Upstream.Options.Idempotency.Kind == Upstreams.CarrierKind.Body
            ? options.Body.Unstreamed($"upstreams.{plan.Pipeline.Upstream.Name}.idempotency.carrier: body")
            : options.Body;

    public string Name => options.Name;
}

/// <summary>All routes; immutable, replaced whole at a reload. The first match wins.</summary>
internal sealed class RouteTable
{
    private readonly EgressRoute[] _routes;
    private readonly Dictionary<(string Method, string Path), EgressRoute?> _exact = [];

    public RouteTable(IReadOnlyList<EgressRoute> routes)
    {
        _routes = [.. routes];
        foreach (var route in _routes.Where(r => r.Options.Path is not null))
        {
            foreach (var method in route.Options.Methods)
            {
                _exact[(method, route.Options.Path!)] = Scan(method, route.Options.Path!);
            }
        }
    }

    public IReadOnlyList<EgressRoute> All => _routes;

    /// <returns>The route, or a refusal: 404, or 405 with the methods that would match.</returns>
    public (EgressRoute? Route, Refusal? Refusal) Find(string method, string path)
    {
        if ((_exact.TryGetValue((method, path), out var route) ? route : Scan(method, path)) is { } found)
        {
            return (found, null);
        }

        var methods = _routes.Where(r => Covers(r, path)).SelectMany(r => r.Options.Methods).Distinct(StringComparer.Ordinal).ToArray();
        return (null, methods.Length > 0
            ? Refusal.NotSent(ProxyError.MethodNotAllowed, $"Routes for this path take {string.Join(", ", methods)}.") with { Allow = string.Join(", ", methods) }
            : Refusal.NotSent(ProxyError.RouteNotFound, "No entry of routes matches this path."));
    }

    private static bool Covers(EgressRoute route, string path) =>
        route.Options.Path is { } exact ? exact == path : path.StartsWith(route.Options.Prefix!, StringComparison.Ordinal);

    private EgressRoute? Scan(string method, string path) =>
        Array.Find(_routes, r => Covers(r, path) && r.Options.Methods.Contains(method));
}
