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

namespace SendProxy.Composition;

/// <summary>Makes what the local port runs on out of settings: limits, upstreams, routes, the guard.</summary>
internal sealed class EgressComposer(
    ReplacedResources replaced, UpstreamComposer upstreams, SecretPoller secrets, LimiterFactory limits, RecipientCheckFactory recipientChecks) : IDisposable
{
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(1);

    private LaneTable _lanes = LaneTable.Default;
    private Dictionary<string, PlanLimiter> _limiters = new(StringComparer.Ordinal);

    public EgressState Compose(ProxySettings settings)
    {
        var longest = settings.Upstreams.Values.Select(u => u.Options.Timeouts.Total).DefaultIfEmpty().Max() + Slack;
        RenewLimiters(settings, longest);
        var pipelines = upstreams.Compose(settings, longest);
        var hash = new PartitionHash(() => KeyOfValues(settings));
        var recipients = recipientChecks.For(settings.Routes.Select(r => (r.Name, r.Recipients)));
        var detectors = upstreams.Detectors(settings);
        var storedLane = settings.Outbox.Lane is { } lane ? settings.Lanes.Find(lane) : null;
        var routes = settings.Routes.Select(r => new EgressRoute(
            r,
            new SendPlan(r.Name, pipelines[r.Upstream], [.. r.Limits.Select(l => _limiters[l])], r.Keys.Namespace ?? ""),
            settings.Lanes,
            new RequestChecks(recipients.GetValueOrDefault(r.Name), RateLimitFields.For(r.CostOf, [.. r.Limits.Select(l => settings.Limits[l])], hash.Of), detectors?[r.Upstream]),
            storedLane));
        var token = settings.Guard.CallerToken is { } source ? secrets.Watch("guard.callerToken", source, SecretFormat.Any) : null;
        secrets.Retain(settings.Secrets());
        return new EgressState(
            new RouteTable([.. routes]), new Guard(settings.Guard, token, settings.Listen.MaxTarget), settings.Process.MaxInFlightOf(MemoryLimit.OfThisProcess),
            settings.UsesOutbox ? settings.Outbox : null);
    }

    public void Dispose()
    {
        foreach (var limiter in _limiters.Values)
        {
            limiter.Dispose();
        }
    }

    private void RenewLimiters(ProxySettings settings, TimeSpan after)
    {
        var sameLanes = _lanes.SameAs(settings.Lanes);
        _limiters = replaced.Renew(_limiters, settings.Limits, (limiter, options) => sameLanes && limiter.Options == options,
            (_, options) => limits.Create(options, settings.Lanes), after);
        _lanes = settings.Lanes;
        limits.Show([.. settings.Limits.Keys.Select(name => _limiters[name])]);
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
}
