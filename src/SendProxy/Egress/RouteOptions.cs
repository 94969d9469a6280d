using SendProxy.Configuration;
using SendProxy.Sending.RateLimiting;

namespace SendProxy.Egress;

/// <summary>Which requests go where. Section <c>routes[]</c>.</summary>
/// <param name="Path">Exact path; null where <paramref name="Prefix"/> is given.</param>
/// <param name="Limits">Names of limits; a permit is taken from each.</param>
/// <param name="RequireKey">A request without Idempotency-Key is refused.</param>
internal sealed record RouteOptions(
    string Name, IReadOnlyList<string> Methods, string? Path, string? Prefix, string Upstream, IReadOnlyList<string> Limits,
    Lane Lane, bool Paused, bool RequireKey, string? Channel, long MaxBodyBytes)
{
    private static readonly string[] Known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    /// <param name="upstream">What a preset's routes belong to; null for the operator's own.</param>
    /// <param name="allLimits">What a preset's routes take permits from: every limit there is.</param>
    public static RouteOptions Read(SettingsReader route, string? upstream, IReadOnlyList<string>? allLimits)
    {
        var match = route.Section("match", "Which requests.");
        var path = match.Text("path", null, "The exact path.", 1024);
        var prefix = match.Text("prefix", null, "What the path starts with, with a slash at its end.", 1024);
        var methods = match.Texts("methods", ["POST"], "Methods of HTTP.", 10);
        match.Check(path is null != prefix is null, "path", "give either path or prefix");
        match.Check(path is null || IsPath(path), "path", "must start with / and be in the one form that requests may have: no //, ., .., %2e, ;");
        match.Check(prefix is null || (IsPath(prefix) && prefix[^1] == '/'), "prefix", "must start and end with / and be in normal form");
        match.Check(methods.Count > 0 && methods.All(m => Known.Contains(m)), "methods", $"must be of {string.Join(", ", Known)}");
        return new RouteOptions(
            Name: route.RequiredText("name", "Names the route in metrics and logs.", "sms"),
            Methods: methods,
            Path: path,
            Prefix: prefix,
            Upstream: upstream ?? route.RequiredText("upstream", "Where its requests go: a name of upstreams.", "sendapi"),
            Limits: allLimits ?? route.Texts("limits", [], "Limits of which each request takes a permit.", 10),
            Lane: route.Choice("lane", "Who goes first when permits are short; Priority: u=N of a request overrides it.", Lanes.Words),
            Paused: route.Flag("paused", false, "A switch: requests get 503 route_paused."),
            RequireKey: route.Section("idempotency", "Keys of this route.").Flag("require", false, "Refuse requests without an Idempotency-Key."),
            Channel: route.Text("channel", null, "sms, whatsapp, email: a label in metrics (preset).", 32),
            MaxBodyBytes: route.Size("maxBody", "1MiB", "0B", "64MiB", "Largest body; it is kept in memory, so that it can be repeated."));
    }

    public static bool IsPath(string path) => TargetForm.Check(path) is null && !path.Contains('?', StringComparison.Ordinal);
}
