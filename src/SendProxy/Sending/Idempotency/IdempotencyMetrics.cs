using Prometheus;

namespace SendProxy.Sending.Idempotency;

/// <summary>Series of keys that outlive a request.</summary>
internal sealed class IdempotencyMetrics(IMetricFactory metrics)
{
    private readonly Counter _claims = metrics.CreateCounter(
        "sendproxy_idempotency_claims_total", "Questions to the store of keys, by what it found.", ["route", "verdict"]);

    private readonly Counter _unrecorded = metrics.CreateCounter(
        "sendproxy_idempotency_unrecorded_total", "Ends that could not be recorded: the vendor alone deduplicates them.", ["route"]);

    private readonly Gauge _unrecordedSends = metrics.CreateGauge(
        "sendproxy_idempotency_unrecorded_sends", "Keys that were sent while their store could not be told; it is told once it answers.");

    private readonly Counter _swept = metrics.CreateCounter(
        "sendproxy_idempotency_swept_total", "Records of keys that were forgotten because their lifetime was over.");

    public void UnrecordedSends(int keys) => _unrecordedSends.Set(keys);

    public void Swept(int records) => _swept.Inc(records);

    public void Claimed(string route, ClaimVerdict verdict) => _claims.WithLabels(route, Word(verdict)).Inc();

    public void Unrecorded(string route) => _unrecorded.WithLabels(route).Inc();

    private static string Word(ClaimVerdict verdict) => verdict switch
    {
        ClaimVerdict.Owned => "owned",
        ClaimVerdict.Running => "running",
        ClaimVerdict.Finished => "finished",
        ClaimVerdict.Mismatch => "mismatch",
        ClaimVerdict.Unknown => "unknown",
        _ => "unavailable",
    };
}
