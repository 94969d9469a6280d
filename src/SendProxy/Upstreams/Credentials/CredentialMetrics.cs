using Prometheus;
using SendProxy.Metrics;
using SendProxy.Secrets;

namespace SendProxy.Upstreams.Credentials;

/// <summary>Series of keys by fingerprint: an operator sees which key is in use and when the old one may be revoked.</summary>
internal sealed class CredentialMetrics(IMetricFactory metrics, TimeProvider time)
{
    private readonly MetricChildCache<(string Upstream, string Fingerprint, SecretSlot Slot, bool Accepted), Counter.Child> _answers = new(
        metrics.CreateCounter(
            "sendproxy_credential_answers_total",
            "Upstream answers by key (first 8 hex of its SHA-256), slot and whether the key was accepted (anything but 401).",
            ["upstream", "fingerprint", "slot", "accepted"]),
        x => [x.Upstream, x.Fingerprint, Word(x.Slot), x.Accepted ? "true" : "false"]);

    private readonly MetricChildCache<(string Upstream, string Fingerprint), Gauge.Child> _lastUse = new(
        metrics.CreateGauge(
            "sendproxy_credential_last_accepted_timestamp_seconds", "Unix time of the last answer that accepted the key.", ["upstream", "fingerprint"]),
        x => [x.Upstream, x.Fingerprint]);

    public void Used(string upstream, SelectedCredential key, bool accepted)
    {
        _answers[(upstream, key.Fingerprint, key.Slot, accepted)].Inc();
        if (accepted)
        {
            _lastUse[(upstream, key.Fingerprint)].Set(time.GetUtcNow().ToUnixTimeSeconds());
        }
    }

    public static string Word(SecretSlot slot) => slot switch
    {
        SecretSlot.Current => "current",
        SecretSlot.Next => "next",
        _ => "previous",
    };
}
