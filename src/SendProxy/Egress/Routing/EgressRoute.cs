using SendProxy.Configuration;
using SendProxy.Egress.Admission;
using SendProxy.Egress.Bodies;
using SendProxy.Egress.Recipients;
using SendProxy.Errors;
using SendProxy.Hosting;
using SendProxy.Sending;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Egress.Routing;

/// <summary>What is looked for in a route's requests.</summary>
/// <param name="Recipients">Null where no recipient is checked.</param>
/// <param name="RateLimitFields">Null where no limit reads a field of a body.</param>
/// <param name="Credentials">Null where no credential is looked for.</param>
internal sealed record RequestChecks(RecipientCheck? Recipients = null, RateLimitFields? RateLimitFields = null, CredentialDetector? Credentials = null);

/// <summary>A route with what its requests need, looked up once.</summary>
internal sealed class EgressRoute(EgressRouteOptions options, SendPlan plan, LaneTable lanes, RequestChecks checks, Lane? storedLane = null)
{
    public EgressRouteOptions Options => options;

    public SendPlan Plan => plan;

    /// <summary>Null where nothing of a body is read.</summary>
    public RecipientCheck? Recipients => checks.Recipients;

    /// <summary>Null where no limit reads a field of a body.</summary>
    public RateLimitFields? RateLimitFields => checks.RateLimitFields;

    /// <summary>Null where the route has no bound of its own.</summary>
    public Upstreams.Connections.Bulkhead? Bulkhead { get; } = options.MaxInFlight is { } most ? new(most) : null;

    /// <summary>Null where nothing is looked for.</summary>
    public CredentialDetector? Credentials => checks.Credentials;

    public LaneTable Lanes => lanes;

    /// <summary>For requests that do not say another.</summary>
    public Lane Lane { get; } = (options.Lane is { } name ? lanes.Find(name) : null) ?? lanes.Usual;

    /// <summary>For messages that are stored and do not say another: what the route says, else the outbox's.</summary>
    public Lane StoredLane => options.Lane is null ? storedLane ?? lanes.All[^1] : Lane;

    /// <summary>A route whose body is read or changed needs the body whole.</summary>
    public BodyLimits Body { get; } = checks.RateLimitFields is not null ? options.Body.Unstreamed("a limit's per, or routes[].cost")
        : plan?.Pipeline.Upstream.Options.Idempotency is { Kind: Upstreams.CarrierKind.Body } carrier && carrier.Touches(options.Path, options.Prefix)
            ? options.Body.Unstreamed($"upstreams.{plan.Pipeline.Upstream.Name}.idempotency.carrier: body")
            : options.Body;

    public string Name => options.Name;
}

/// <summary>All routes; immutable, replaced whole at a reload. The first match wins.</summary>
internal sealed class RouteTable
{
    // A refusal must be cheap, however long the path is and however many routes there are.
    private const int MaxCompared = 128;
    private const int MaxNamed = 50;
    private const int MaxShown = 5;

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

    /// <returns>The route, or a refusal: 400 where servers could read another path, 404, or 405 with the methods that would match.</returns>
    /// <param name="context">Knows where this process listens; null: ports are not told.</param>
    public (EgressRoute? Route, Refusal? Refusal) Find(string method, string path, HttpContext? context = null)
    {
        if (Match(method, path) is { } found)
        {
            // What is matched must be what the vendor reads: a path with escapes is another one to a server that undoes them.
            return TargetValidator.Readings(path).All(reading => Match(method, reading) == found)
                ? (found, null)
                : (null, Refusal.NotSent(ProxyError.RequestMalformed, "The path has escapes, and once they are undone it is the path of another route, or of none."));
        }

        if (TargetValidator.Readings(path).Any(reading => Match(method, reading) is not null))
        {
            return (null, Refusal.NotSent(ProxyError.RequestMalformed, "The path is that of a route only once its escapes are undone; write it as the route has it."));
        }

        var methods = _routes.Where(r => Covers(r, path)).SelectMany(r => r.Options.Methods).Distinct(StringComparer.Ordinal).ToArray();
        return (null, methods.Length > 0
            ? Refusal.NotSent(ProxyError.MethodNotAllowed, $"Routes for this path take {string.Join(", ", methods)}.") with { Allow = string.Join(", ", methods) }
            : Refusal.NotSent(ProxyError.RouteNotFound, $"No entry of routes matches {method} and this path. {Nearest(path, context)}"));
    }

    /// <summary>Suggests what the caller of an unknown path may have meant. The path itself is not repeated, since it can name a recipient.</summary>
    private string Nearest(string path, HttpContext? context)
    {
        if (path.StartsWith("/webhooks/", StringComparison.Ordinal))
        {
            return $"This is the port of applications; vendors' webhooks come to the port of {BoundListeners.PortOf(ListenerKind.Webhooks, context)}.";
        }

        if (path is "/metrics" or "/livez" or "/readyz" or "/startupz")
        {
            return $"This is the port of applications; metrics and health are on the port of {BoundListeners.PortOf(ListenerKind.Metrics, context)}.";
        }

        var asked = path.Length <= MaxCompared ? path : path[..MaxCompared];
        var known = _routes.Take(MaxNamed).Select(r => r.Options.Path ?? r.Options.Prefix!).ToArray();
        var same = Array.Find(_routes, r => (r.Options.Path ?? r.Options.Prefix!).TrimEnd('/').Equals(path.TrimEnd('/'), StringComparison.OrdinalIgnoreCase));
        if (same is not null)
        {
            return $"The nearest is {Shown(same)}: a path must be written as the route has it, also in a slash at its end and in upper and lower case.";
        }

        var near = Spelling.Nearest(asked, known);
        var shown = _routes.Take(MaxNamed).Where(r => near is null || (r.Options.Path ?? r.Options.Prefix) == near).Take(MaxShown).Select(Shown);
        return $"{(near is null ? "Routes are" : "The nearest is")} {string.Join("; ", shown)}{(near is null && _routes.Length > MaxShown ? "; and others" : "")}.";
    }

    private static string Shown(EgressRoute route) =>
        $"{string.Join(", ", route.Options.Methods)} {route.Options.Path ?? route.Options.Prefix + "..."} (route {route.Name})";

    private EgressRoute? Match(string method, string path) =>
        _exact.TryGetValue((method, path), out var route) ? route : Scan(method, path);

    private static bool Covers(EgressRoute route, string path) =>
        route.Options.Path is { } exact ? exact == path : path.StartsWith(route.Options.Prefix!, StringComparison.Ordinal);

    private EgressRoute? Scan(string method, string path) =>
        Array.Find(_routes, r => Covers(r, path) && r.Options.Methods.Contains(method));
}
