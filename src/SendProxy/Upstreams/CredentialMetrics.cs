using System.Collections.Concurrent;
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

    private readonly ConcurrentDictionary<(string Upstream, string Fingerprint, SecretSlot Slot), (Counter.Child Answers, Gauge.Child LastUse)> _accepted = new();

    public void Used(string upstream, KeyChoice key, bool accepted)
    {
        if (!accepted)
        {
            _answers.WithLabels(upstream, key.Fingerprint, Word(key.Slot), "false").Inc();
            return;
        }

        var (answers, lastUse) = _accepted.GetOrAdd((upstream, key.Fingerprint, key.Slot), static (x, all) => (
            all._answers.WithLabels(x.Upstream, x.Fingerprint, Word(x.Slot), "true"), all._lastUse.WithLabels(x.Upstream, x.Fingerprint)), this);
        answers.Inc();
        lastUse.Set(time.GetUtcNow().ToUnixTimeSeconds());
    }

    public static string Word(SecretSlot slot) => slot switch
    {
        SecretSlot.Current => "current",
        SecretSlot.Next => "next",
        _ => "previous",
    };
}
