namespace SendProxy.Workers;

/// <summary>A worker of the whole process: rounds with pauses between them, under the one policy of <see cref="WorkerLoop"/>.</summary>
/// <param name="name">Its label in metrics and its name in the log.</param>
internal abstract class PeriodicWorker(string name, WorkerContext context) : BackgroundService
{
    protected TimeProvider Time => context.Time;

    protected WorkerMetrics Worker => context.Metrics;

    /// <summary>Ends it before the process does.</summary>
    protected virtual CancellationToken EndsEarly => CancellationToken.None;

    /// <summary>One round.</summary>
    /// <returns>How long to wait before the next one; null when there is nothing to do for good.</returns>
    protected abstract Task<TimeSpan?> RunRoundAsync(CancellationToken stop);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, EndsEarly);
        await new WorkerLoop(name, context).RunAsync(RunRoundAsync, ended.Token);
    }
}
