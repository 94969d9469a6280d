using Microsoft.Extensions.Time.Testing;
using Prometheus;
using SendProxy.Queueing;

namespace SendProxy.Tests.Queueing;

/// <summary>A queue of some store, its clock and its metrics.</summary>
internal abstract class QueueUnderTest : IAsyncDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    public FakeTimeProvider Time { get; init; } = new(Start);

    public CollectorRegistry Registry { get; } = Prometheus.Metrics.NewCustomRegistry();

    public abstract IMessageQueue Queue { get; }

    /// <summary>Ends the process that has the queue, as far as the store can tell, and begins another.</summary>
    public abstract Task RestartAsync();

    public abstract ValueTask DisposeAsync();

    public async Task<string> ScrapeAsync()
    {
        using var stream = new MemoryStream();
        await Registry.CollectAndExportAsTextAsync(stream);
        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }
}
