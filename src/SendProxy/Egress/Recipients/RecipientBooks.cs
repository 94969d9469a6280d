namespace SendProxy.Egress.Recipients;

/// <summary>Makes the checks of routes; a route whose bounds did not change keeps its counts over a reload.</summary>
internal sealed class RecipientBooks(EgressMetrics metrics, Func<double> draw, TimeProvider time)
{
    private readonly RecipientHash _hash = new();
    private Dictionary<string, RecipientCounts> _counts = new(StringComparer.Ordinal);

    /// <returns>For each route with <c>recipients</c>, by its name.</returns>
    public IReadOnlyDictionary<string, RecipientCheck> For(IEnumerable<RouteOptions> routes)
    {
        var checks = routes.Where(r => r.Recipients is not null).ToDictionary(
            r => r.Name, r => new RecipientCheck(r.Name, r.Recipients!, Counts(r), _hash, metrics), StringComparer.Ordinal);
        _counts = checks.ToDictionary(c => c.Key, c => c.Value.Counts, StringComparer.Ordinal);
        return checks;
    }

    private RecipientCounts Counts(RouteOptions route) =>
        _counts.GetValueOrDefault(route.Name) is { } kept && kept.Bounds == route.Recipients!.Bounds
            ? kept
            : new RecipientCounts(route.Recipients!.Bounds, draw, time);
}
