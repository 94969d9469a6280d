using System.Collections.Frozen;
using SendProxy.Configuration;
using SendProxy.FanOut;
using SendProxy.Receiving;
using SendProxy.Secrets;

namespace SendProxy.Composition;

/// <summary>Makes what webhooks in and events out run on out of settings, and keeps the sources that did not change.</summary>
internal sealed class WebhooksComposer(SecretPoller secrets)
{
    /// <param name="old">What runs now; null at start.</param>
    public ReceivingState Receiving(ProxySettings settings, ReceivingState? old) => new(settings.Webhooks.Sources.ToFrozenDictionary(
        s => s.Key,
        s => old?.Sources.GetValueOrDefault(s.Key) is { } kept && kept.Options.Fingerprint == s.Value.Fingerprint ? kept : Source(s.Value),
        StringComparer.Ordinal));

    public FanOutState FanOut(ProxySettings settings) => new(settings.Webhooks.Subscribers.ToFrozenDictionary(
        s => s.Key,
        s => new Subscriber(s.Value, Ring($"webhooks.subscribers.{s.Key}.signWith", s.Value.SignWith, SigningKeyFormat.StandardWebhooks)),
        StringComparer.Ordinal));

    /// <summary>Swaps both for what the new settings say.</summary>
    public void Apply(ProxySettings next, Live<ReceivingState> receiving, Live<FanOutState> fanOut)
    {
        receiving.Swap(Receiving(next, receiving.Current));
        fanOut.Swap(FanOut(next));
    }

    private Source Source(SourceOptions options)
    {
        var path = $"webhooks.sources.{options.Name}";
        var form = options.KeyFormat;
        var token = options.VerifyToken is { } place ? secrets.Watch($"{path}.challenge.verifyToken", place, SecretFormat.Any) : null;
        return new Source(options, Ring($"{path}.secrets", options.Secrets, form), token);
    }

    private KeyRing Ring(string path, IReadOnlyList<ISecretSource> places, SigningKeyFormat form) =>
        new([.. places.Select((p, i) => secrets.Watch($"{path}[{i}]", p, form.TextFormat))], form);
}
