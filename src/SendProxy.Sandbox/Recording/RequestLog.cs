using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Recording;

/// <summary>Every request to the API with its time of arrival. Requests to <c>/sandbox</c> are not noted.</summary>
internal sealed class RequestLog(MemoryOptions memory)
{
    private readonly BoundedLog<RequestEntry> _entries = new(memory.MaxRequestEntries);
    private readonly HeaderNameSets _headerNames = new();
    private long _arrived;

    /// <summary>Requests since the start or the last <see cref="Clear"/>.</summary>
    public long Arrived => Interlocked.Read(ref _arrived);

    public long Dropped => _entries.Dropped;

    public RequestEntry Arrive(HttpRequest request, DateTimeOffset at)
    {
        Interlocked.Increment(ref _arrived);
        var names = _headerNames.Of(request.Headers);
        return _entries.Append((request, at, names), static (number, r) => new RequestEntry(
            number, r.at, r.request.Protocol, r.request.Method, r.request.Path.Value ?? "/", r.names,
            r.request.Headers["Idempotency-Key"] is [{ } key, ..] ? key : null));
    }

    /// <summary>At most <paramref name="limit"/> entries after number <paramref name="since"/>, oldest first.</summary>
    public IReadOnlyList<RequestEntry> Read(long since = 0, int limit = int.MaxValue) => _entries.Read(since, limit);

    /// <summary>Ends when so many requests have arrived since the start, whatever was cleared.</summary>
    public Task ReachAsync(long count, CancellationToken cancellationToken) =>
        _entries.ReachAsync(count, cancellationToken);

    public void Clear()
    {
        Interlocked.Exchange(ref _arrived, 0);
        _entries.Clear();
    }
}
