using System.Collections.Frozen;
using SendProxy.Queueing;
using SendProxy.Secrets;

namespace SendProxy.FanOut;

/// <summary>A subscriber in use: its settings and its keys.</summary>
internal sealed record Subscriber(SubscriberOptions Options, KeyRing Keys)
{
    public string Name => Options.Name;

    /// <summary>Keys are configured: without a usable one nothing is sent.</summary>
    public bool MustSign => Options.SignWith.Count > 0;

    /// <summary>Whether it gets this event.</summary>
    public bool Wants(EventEnvelope envelope) => Wants(envelope.Source, envelope.Type);

    /// <summary>Whether it gets events of this source and type.</summary>
    public bool Wants(string source, string type) =>
        (Options.Sources.Count == 0 || Options.Sources.Contains(source)) && Options.Events.Any(g => g.Matches(type));
}

/// <summary>What fan-out runs on; swapped whole at reload.</summary>
internal sealed record FanOutState(FrozenDictionary<string, Subscriber> Subscribers);
