namespace SendProxy.Composition;

/// <summary>
/// Keeps what a reload did not change and makes the rest anew: limiters with their state, connections with their pool. What is
/// replaced is ended once no request can still use it.
/// </summary>
internal sealed class ReplacedResources(TimeProvider time) : IDisposable
{
    private readonly List<(IDisposable Old, long Since, TimeSpan After)> _retired = [];

    /// <param name="old">What runs until now, by name.</param>
    /// <param name="same">Whether it is what the settings say.</param>
    /// <param name="after">How long a request may still use what is replaced.</param>
    /// <returns>One for each of the settings.</returns>
    public Dictionary<string, T> Renew<T, TOptions>(
        Dictionary<string, T> old, IReadOnlyDictionary<string, TOptions> settings, Func<T, TOptions, bool> same, Func<string, TOptions, T> make, TimeSpan after)
        where T : class, IDisposable
    {
        var next = settings.ToDictionary(
            s => s.Key, s => old.GetValueOrDefault(s.Key) is { } kept && same(kept, s.Value) ? kept : make(s.Key, s.Value), StringComparer.Ordinal);
        foreach (var gone in old.Values.Except(next.Values))
        {
            _retired.Add((gone, time.GetTimestamp(), after));
        }

        return next;
    }

    /// <summary>Ends what was replaced long enough ago.</summary>
    public void EndRetired()
    {
        foreach (var retired in _retired.Where(r => time.GetElapsedTime(r.Since) > r.After).ToArray())
        {
            retired.Old.Dispose();
            _retired.Remove(retired);
        }
    }

    public void Dispose() => _retired.ForEach(r => r.Old.Dispose());
}
