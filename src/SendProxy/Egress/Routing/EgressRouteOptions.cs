using SendProxy.Configuration;
using SendProxy.Egress.Admission;
using SendProxy.Egress.Bodies;
using SendProxy.Egress.Recipients;
using SendProxy.Outbox.Messages;

namespace SendProxy.Egress.Routing;

/// <summary>Which requests go where. Section <c>routes[]</c>.</summary>
/// <param name="Path">Exact path; null where <paramref name="Prefix"/> is given.</param>
/// <param name="Limits">Names of limits; a permit is taken from each.</param>
/// <param name="Lane">Null: the lane of urgency 3.</param>
/// <param name="CostOf">Whose number is the cost of a request; null: it costs one.</param>
/// <param name="Recipients">Null: nothing of a body is read.</param>
/// <param name="AllowGetBody">GET and HEAD may have a body.</param>
internal sealed record EgressRouteOptions(
    string Name, IReadOnlyList<string> Methods, string? Path, string? Prefix, string Upstream, IReadOnlyList<string> Limits,
    string? Lane, bool Paused, IdempotencyKeyOptions Keys, string? Channel, BodyLimits Body, RecipientOptions? Recipients = null, IReadOnlyList<JsonPointer>? CostOf = null,
    bool AllowGetBody = false, int? MaxInFlight = null)
{
    /// <summary>What it says of the outbox.</summary>
    public RouteOutboxOptions Outbox { get; init; } = RouteOutboxOptions.None;

    private const int MaxPath = 1024;

    private static readonly string[] Known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    /// <param name="upstream">What a preset's routes belong to; null for the operator's own.</param>
    /// <param name="allLimits">What a preset's routes take permits from: every limit there is.</param>
    public static EgressRouteOptions Read(SettingsReader route, string? upstream, IReadOnlyList<string>? allLimits)
    {
        var match = route.Section("match", "Which requests.");
        var path = match.Text("path", null, "The exact path.", MaxPath);
        var prefix = match.Text("prefix", null, "What the path starts with, with a slash at its end.", MaxPath);
        var methods = match.Texts("methods", ["POST"], "Methods of HTTP.", 10);
        match.Check(path is null != prefix is null, "path", "give either path or prefix");
        match.Check(path is null || IsPath(path), "path", "must start with / and be in the form that requests may have: no //, ., .., ;");
        match.Check(prefix is null || (IsPath(prefix) && prefix[^1] == '/'), "prefix", "must start and end with / and be in normal form");
        match.Check(methods.Count > 0 && methods.All(m => Known.Contains(m)), "methods", $"must be of {string.Join(", ", Known)}");
        var fields = RecipientOptions.ReadFields(route);
        var limits = route.Texts("limits", [], "Limits of which each request takes a permit. Default for a preset's routes: every limit there is.", 10);
        var recipients = RecipientOptions.Read(route, fields);
        var costOf = ReadCost(route, fields);
        var keys = IdempotencyKeyOptions.Read(route.Section("idempotency", "Keys of this route."));
        return new EgressRouteOptions(
            Name: route.RequiredText("name", "Names the route in metrics and logs.", "sms"),
            Methods: methods,
            Path: path,
            Prefix: prefix,
            Upstream: upstream ?? route.RequiredText("upstream", "Where its requests go: a name of upstreams.", "sendapi"),
            Limits: allLimits is null || route.Has("limits") ? limits : allLimits,
            Lane: route.Text("lane", null, "Who goes first when permits are short: a name of lanes; Priority: u=N of a request overrides it. Default: the lane of urgency 3.", 64),
            Paused: route.Flag("paused", false, "A switch: requests get 503 route_paused."),
            Keys: keys,
            Channel: route.Text("channel", null, "sms, whatsapp, email: a label in metrics (preset).", 32),
            Body: BodyLimits.Read(route, recipients is not null ? "recipients" : costOf is not null ? "cost: recipients" : keys.DeriveWithin is not null ? "idempotency.derive" : null),
            Recipients: recipients,
            CostOf: costOf,
            AllowGetBody: route.Choice("getBody",
                "A body of a GET or HEAD request. Some servers do not read it and take it for the next request on the connection, which may be another caller's; send passes it on, on a connection that is closed after it.",
                ("refuse", false), ("send", true)),
            MaxInFlight: (int?)route.OptionalInteger("maxInFlight", 1, 100_000,
                "Requests of this route at once, waiting ones included; more get 503 upstream_busy. Default: no bound but the upstream's."))
        {
            Outbox = RouteOutboxOptions.Read(route),
        };
    }

    private static IReadOnlyList<JsonPointer>? ReadCost(SettingsReader route, IReadOnlyList<JsonPointer> recipient)
    {
        var counts = route.Choice("cost", "How many permits a request takes of each limit: one, or as many as it has recipients.", ("one", false), ("recipients", true));
        route.Check(!counts || recipient.Count > 0, "cost", "needs recipient on the route: where in the body the recipients stand, as in recipient: /to/*");
        return counts ? recipient : null;
    }

    public static bool IsPath(string path) => TargetValidator.Check(path, MaxPath) is null && !path.Contains('?', StringComparison.Ordinal);
}

/// <summary>How a route treats idempotency keys. Section <c>routes[].idempotency</c>.</summary>
/// <param name="Require">A request without a key is refused.</param>
/// <param name="DeriveWithin">Null: a key is made anew for a request without one; else its content gives the key within this time.</param>
/// <param name="Namespace">Routes with one namespace share their keys; null: one for each upstream.</param>
internal sealed record IdempotencyKeyOptions(bool Require, TimeSpan? DeriveWithin, string? Namespace)
{
    public static IdempotencyKeyOptions Read(SettingsReader keys)
    {
        var derive = keys.Choice("derive", "Make the key of a request that has none from its content, for applications that repeat without one.",
            ("none", false), ("content", true));
        var window = keys.Duration("window", "10m", "1s", "24h", "With derive: content: equal requests within it are one message.");
        var require = keys.Flag("require", false, "Refuse requests without an Idempotency-Key.");
        keys.Check(!derive || !require, "derive", "means nothing together with require: true");
        keys.Check(derive || !keys.Has("window"), "window", "means something only with derive: content");
        return new IdempotencyKeyOptions(require, derive ? window : null, keys.Text("namespace", null, "Routes with the same namespace share their keys.", 64));
    }
}
