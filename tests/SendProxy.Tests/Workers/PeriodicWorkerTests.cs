using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Workers;

namespace SendProxy.Tests.Workers;

public sealed class PeriodicWorkerTests
{
    private readonly RecordingTime _time = new();
    private readonly Prometheus.CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Worker_DefectsInItsRounds_GoesOnAfterPausesThatGrow()
    {
        using var worker = Worker(round => round <= 3 ? throw new InvalidOperationException("a defect") : TimeSpan.FromHours(1));
        await worker.StartAsync(Cancel);

        foreach (var pause in (int[])[1, 2, 4, 3600])
        {
            Assert.Equal(TimeSpan.FromSeconds(pause), await _time.PauseAsync());
            _time.Advance(TimeSpan.FromSeconds(pause));
        }

        Assert.Contains("sendproxy_worker_failures_total{worker=\"test\"} 3", await ScrapeAsync(), StringComparison.Ordinal);
        await worker.StopAsync(Cancel);
    }

    [Fact]
    public async Task Worker_RoundSaysThereIsNothingToDo_Ends()
    {
        using var worker = Worker(_ => null);

        await worker.StartAsync(Cancel);

        await worker.ExecuteTask!.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.DoesNotContain("sendproxy_worker_last_loop_timestamp_seconds{", await ScrapeAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Worker_StoppedInTheMiddleOfAPause_EndsAtOnceWithoutAnError()
    {
        using var worker = Worker(_ => TimeSpan.FromHours(1));
        await worker.StartAsync(Cancel);
        await _time.PauseAsync();

        await worker.StopAsync(Cancel);

        Assert.Equal(TaskStatus.RanToCompletion, worker.ExecuteTask!.Status);
    }

    private TestWorker Worker(Func<int, TimeSpan?> round) =>
        new(round, new WorkerContext(new WorkerMetrics(Prometheus.Metrics.WithCustomRegistry(_registry), _time), _time, NullLoggerFactory.Instance));

    private async Task<string> ScrapeAsync()
    {
        using var stream = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(stream, Cancel);
        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private sealed class TestWorker(Func<int, TimeSpan?> round, WorkerContext context) : PeriodicWorker("test", context)
    {
        private int _rounds;

        protected override Task<TimeSpan?> RunRoundAsync(CancellationToken stop) => Task.FromResult(round(++_rounds));
    }

    /// <summary>Tells of each pause once its timer runs.</summary>
    private sealed class RecordingTime : FakeTimeProvider
    {
        private readonly Channel<TimeSpan> _pauses = Channel.CreateUnbounded<TimeSpan>();

        public Task<TimeSpan> PauseAsync() => _pauses.Reader.ReadAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancel);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            _pauses.Writer.TryWrite(dueTime);
            return timer;
        }
    }
}
