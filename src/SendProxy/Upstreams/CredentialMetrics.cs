using Prometheus;
using SendProxy.Secrets;

namespace SendProxy.Upstreams;

/// <summary>Series of keys by fingerprint: an operator sees which key is in use and when the old one may be revoked.</summary>
internal sealed class CredentialMetrics(IMetricFactory metrics, TimeProvider time)
{
    private readonly Counter _answers = metrics.CreateCounter(
        "sendproxy_credential_answers_total",
        "Upstream answers by key (first 8 hex of its SHA-256), slot and whether the key was accepted (anything but 401).",
        ["upstream", "fingerprint", "slot", "accepted"]);

    private readonly Gauge _lastUse = metrics.CreateGauge(
        "sendproxy_credential_last_accepted_timestamp_seconds", "Unix time of the last answer that accepted the key.", ["upstream", "fingerprint"]);

    public void Used(string upstream, KeyChoice key, bool accepted)
    {
        _answers.WithLabels(upstream, key.Fingerprint, Word(key.Slot), accepted ? "true" : "false").Inc();
        if (accepted)
        {
            _lastUse.WithLabels(upstream, key.Fingerprint).Set(time.GetUtcNow().ToUnixTimeSeconds());
        }
    }

    public static string Word(SecretSlot slot) => slot switch
    {
        SecretSlot.Current => "current",
        SecretSlot.Next => "next",
        _ => "previous",
    };
}
