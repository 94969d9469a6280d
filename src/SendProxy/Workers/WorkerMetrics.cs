using Prometheus;

namespace SendProxy.Workers;

/// <summary>Series of the loops that work beside the requests. Labels are names of the program.</summary>
internal sealed class WorkerMetrics(IMetricFactory metrics, TimeProvider time)
{
    private readonly Gauge _progress = metrics.CreateGauge(
        "sendproxy_worker_last_loop_timestamp_seconds",
        "When the worker's loop last came round; one that waits for work comes round every few seconds.", ["worker"]);

    private readonly Counter _failures = metrics.CreateCounter(
        "sendproxy_worker_failures_total", "Rounds that ended in a failure; the loop goes on.", ["worker"]);

    /// <summary>Its failures are 0 from now on.</summary>
    public void Started(string worker) => _failures.WithLabels(worker);

    /// <summary>It has nothing to do any more: nobody is to wait for its progress.</summary>
    public void Ended(string worker) => _progress.RemoveLabelled(worker);

    public void Progressed(string worker) => _progress.WithLabels(worker).Set(time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);

    public void Failed(string worker) => _failures.WithLabels(worker).Inc();
}
