namespace SendProxy.Egress.Recipients;

/// <summary>Makes the checks of routes; a route whose bounds did not change keeps its counts over a reload.</summary>
internal sealed class RecipientCheckFactory(RecipientMetrics metrics, Func<double> draw, TimeProvider time)
{
    private readonly RecipientHash _hash = new();
    private Dictionary<string, RecipientCounts> _counts = new(StringComparer.Ordinal);

    /// <returns>For each route with <c>recipients</c>, by its name.</returns>
    public IReadOnlyDictionary<string, RecipientCheck> For(IEnumerable<(string Route, RecipientOptions? Options)> routes)
    {
        var checks = routes.Where(r => r.Options is not null).ToDictionary(
            r => r.Route, r => new RecipientCheck(r.Route, r.Options!, Counts(r.Route, r.Options!.Bounds), _hash, metrics), StringComparer.Ordinal);
        _counts = checks.ToDictionary(c => c.Key, c => c.Value.Counts, StringComparer.Ordinal);
        return checks;
    }

    private RecipientCounts Counts(string route, RecipientBounds bounds) =>
        _counts.GetValueOrDefault(route) is { } kept && kept.Bounds == bounds ? kept : new RecipientCounts(bounds, draw, time);
}
