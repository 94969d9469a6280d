using SendProxy.Egress.Admission;
using SendProxy.Overload;
using SendProxy.Secrets;
using SendProxy.Sending;
using SendProxy.Upstreams;
using SendProxy.Upstreams.Connections;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Composition;

/// <summary>Makes the upstreams of the settings, each with its credential, its connections and what goes before its attempts.</summary>
internal sealed class UpstreamComposer(
    ReplacedResources replaced, SecretPoller secrets, CredentialUsageTracker credentialUsage, TlsFilesPoller certificates, SendingMetrics sending, TimeProvider time) : IDisposable
{
    private Dictionary<string, UpstreamPipeline> _pipelines = new(StringComparer.Ordinal);

    /// <param name="after">How long a request may still use an upstream that is replaced.</param>
    /// <returns>By name.</returns>
    public IReadOnlyDictionary<string, UpstreamPipeline> Compose(ProxySettings settings, TimeSpan after)
    {
        _pipelines = replaced.Renew(
            _pipelines, settings.Upstreams, (pipeline, options) => pipeline.Upstream.Options.Fingerprint == options.Options.Fingerprint, Pipeline, after);
        BoundUpstreams(settings);
        credentialUsage.Show([.. settings.Upstreams.Keys.Select(name => _pipelines[name].Upstream.Credential)]);
        certificates.Retain(settings.Upstreams.Select(u => (u.Key, u.Value.Options.Tls)));
        return _pipelines;
    }

    /// <returns>What looks for credentials in requests, by upstream; null where they may be sent.</returns>
    public Dictionary<string, CredentialDetector>? Detectors(ProxySettings settings)
    {
        if (settings.Guard.AllowSecrets)
        {
            return null;
        }

        // Mounted credentials of all upstreams, the pattern of its own only: a word of one vendor's keys is an honest word to another.
        var mounted = settings.Upstreams.Keys.Select(name => (name, _pipelines[name].Upstream.Credential.Watched)).ToArray();
        return settings.Upstreams.ToDictionary(
            u => u.Key,
            u => new CredentialDetector(
                mounted,
                settings.Guard.Patterns != SecretPatterns.None && u.Value.Options.Credential.Form.Live is { } live ? CredentialPattern.For(live) : null,
                settings.Guard.Patterns == SecretPatterns.Everywhere),
            StringComparer.Ordinal);
    }

    public void Dispose()
    {
        foreach (var pipeline in _pipelines.Values)
        {
            pipeline.Dispose();
        }
    }

    // One upstream that hangs leaves places for the others.
    private void BoundUpstreams(ProxySettings settings)
    {
        var all = settings.Process.MaxInFlightOf(MemoryLimit.OfThisProcess);
        foreach (var upstream in settings.Upstreams.Keys.Select(name => _pipelines[name].Upstream))
        {
            upstream.Bulkhead.Limit = upstream.Options.MaxInFlight ?? (settings.Upstreams.Count == 1 ? all : Math.Max(1, all / 2));
        }
    }

    private UpstreamPipeline Pipeline(string name, UpstreamSettings settings)
    {
        var credential = settings.Options.Credential;
        var watched = secrets.Watch($"upstreams.{name}.credential", credential.Source!, credential.Form);
        var upstream = new Upstream(settings.Options, new Credential(credential, watched, credentialUsage, name, time), certificates.Watch(name, settings.Options.Tls),
            new Bulkhead(int.MaxValue, sending.InFlight(name)), new ConnectionCount(settings.Options.Connections.Max, sending.Connections(name)));
        return new UpstreamPipeline(upstream, settings.Retry, settings.Breaker, sending, time);
    }
}
