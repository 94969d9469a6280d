namespace SendProxy.Workers;

/// <summary>What every worker needs: where it shows its progress, its clock, and its log.</summary>
internal sealed record WorkerContext(WorkerMetrics Metrics, TimeProvider Time, ILoggerFactory Loggers);
