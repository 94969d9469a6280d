using SendProxy.Egress;
using SendProxy.Egress.Admission;
using SendProxy.Egress.Bodies;
using SendProxy.Egress.Recipients;
using SendProxy.Egress.Routing;
using SendProxy.Overload;
using SendProxy.Secrets;
using SendProxy.Sending;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Upstreams;
using SendProxy.Upstreams.Connections;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Composition;

/// <summary>
/// Makes what the local port runs on out of settings, and keeps what did not change: limiters with their state, connections
/// with their pool. What is replaced is ended once no request can still use it.
/// </summary>
internal sealed class EgressComposer(
    SecretPoller secrets, CredentialUsageTracker credentialUsage, TlsFilesPoller certificates, SendingMetrics sending, LimiterFactory limits, RecipientCheckFactory recipientChecks,
    TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(1);

    private readonly List<(IDisposable Old, long Since, TimeSpan After)> _retired = [];
    private Dictionary<string, UpstreamPipeline> _pipelines = new(StringComparer.Ordinal);
    private LaneTable _lanes = LaneTable.Default;
    private Dictionary<string, PlanLimiter> _limiters = new(StringComparer.Ordinal);

    public EgressState Compose(ProxySettings settings)
    {
        var longest = settings.Upstreams.Values.Select(u => u.Options.Timeouts.Total).DefaultIfEmpty().Max() + Slack;
        var sameLanes = _lanes.SameAs(settings.Lanes);
        _limiters = Renew(_limiters, settings.Limits, (limiter, options) => sameLanes && limiter.Options == options,
            (_, options) => limits.Create(options, settings.Lanes), longest);
        _lanes = settings.Lanes;
        limits.Show([.. settings.Limits.Keys.Select(name => _limiters[name])]);
        _pipelines = Renew(_pipelines, settings.Upstreams, (pipeline, options) => pipeline.Upstream.Options.Fingerprint == options.Options.Fingerprint, Pipeline, longest);
        BoundUpstreams(settings);
        credentialUsage.Show([.. settings.Upstreams.Keys.Select(name => _pipelines[name].Upstream.Credential)]);
        var hash = new PartitionHash(() => KeyOfValues(settings));
        var recipients = recipientChecks.For(settings.Routes.Select(r => (r.Name, r.Recipients)));
        var detectors = settings.Guard.AllowSecrets ? null : Detectors(settings);
        var routes = settings.Routes.Select(r => new EgressRoute(
            r, new SendPlan(r.Name, _pipelines[r.Upstream], [.. r.Limits.Select(l => _limiters[l])], r.Keys.Namespace ?? ""), recipients.GetValueOrDefault(r.Name),
            settings.Lanes, RateLimitFields.For(r.CostOf, [.. r.Limits.Select(l => settings.Limits[l])], hash.Of), detectors?[r.Upstream],
            settings.Outbox.Lane is { } lane ? settings.Lanes.Find(lane) : null));
        var token = settings.Guard.CallerToken is { } source ? secrets.Watch("guard.callerToken", source, SecretFormat.Any) : null;
        secrets.Retain(settings.Secrets());
        certificates.Retain(settings.Upstreams.Select(u => (u.Key, u.Value.Options.Tls)));
        return new EgressState(new RouteTable([.. routes]), new Guard(settings.Guard, token, settings.Listen.MaxTarget), settings.Process.MaxInFlightOf(MemoryLimit.OfThisProcess), settings.UsesOutbox ? settings.Outbox : null);
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

    /// <summary>Ends what was replaced long enough ago.</summary>
    public void EndRetired()
    {
        foreach (var retired in _retired.Where(r => time.GetElapsedTime(r.Since) > r.After).ToArray())
        {
            retired.Old.Dispose();
            _retired.Remove(retired);
        }
    }

    public void Dispose()
    {
        _retired.ForEach(r => r.Old.Dispose());
        foreach (var pipeline in _pipelines.Values)
        {
            pipeline.Dispose();
        }

        foreach (var limiter in _limiters.Values)
        {
            limiter.Dispose();
        }
    }

    // Mounted credentials of all upstreams, the pattern of its own only: a word of one vendor's keys is an honest word to another.
    private Dictionary<string, CredentialDetector> Detectors(ProxySettings settings)
    {
        var mounted = settings.Upstreams.Keys.Select(name => (name, _pipelines[name].Upstream.Credential.Watched)).ToArray();
        return settings.Upstreams.ToDictionary(
            u => u.Key,
            u => new CredentialDetector(
                mounted,
                settings.Guard.Patterns != SecretPatterns.None && u.Value.Options.Credential.Form.Live is { } live ? CredentialPattern.For(live) : null,
                settings.Guard.Patterns == SecretPatterns.Everywhere),
            StringComparer.Ordinal);
    }

    // Of the fleet: the same in each process. Of one process: its own.
    private static byte[] KeyOfValues(ProxySettings settings)
    {
        if (!settings.KeepsKeysInRedis)
        {
            return System.Security.Cryptography.RandomNumberGenerator.GetBytes(Secrets.Sealing.SealKey.Bytes);
        }

        using var keys = Secrets.Sealing.SealKeys.Load(settings.Journal.SealKeys);
        return keys.Current.Derive("sendproxy limits per"u8);
    }

    private UpstreamPipeline Pipeline(string name, UpstreamSettings settings)
    {
        var credential = settings.Options.Credential;
        var watched = secrets.Watch($"upstreams.{name}.credential", credential.Source!, credential.Form);
        var upstream = new Upstream(settings.Options, new Credential(credential, watched, credentialUsage, name, time), certificates.Watch(name, settings.Options.Tls),
            new Bulkhead(int.MaxValue, sending.InFlight(name)), new ConnectionCount(settings.Options.Connections.Max, sending.Connections(name)));
        return new UpstreamPipeline(upstream, settings.Retry, settings.Breaker, sending, time);
    }

    private Dictionary<string, T> Renew<T, TOptions>(
        Dictionary<string, T> old, IReadOnlyDictionary<string, TOptions> settings, Func<T, TOptions, bool> same, Func<string, TOptions, T> make, TimeSpan after)
        where T : class, IDisposable
    {
        var next = settings.ToDictionary(
            s => s.Key, s => old.GetValueOrDefault(s.Key) is { } kept && same(kept, s.Value) ? kept : make(s.Key, s.Value), StringComparer.Ordinal);
        foreach (var gone in old.Values.Except(next.Values))
        {
            _retired.Add((gone, time.GetTimestamp(), after));
        }

        return next;
    }
}
