namespace SendProxy;

/// <summary>What is allowed and may not be meant: told by <c>sendproxy check</c>, and in the log when it is put in force.</summary>
internal static partial class SettingsWarnings
{
    public static IEnumerable<string> Of(ProxySettings settings)
    {
        if (!settings.Roles.HasFlag(Hosting.Roles.Egress))
        {
            yield break;
        }

        foreach (var (name, upstream) in settings.Upstreams)
        {
            if (!upstream.Options.Idempotency.IsStated && settings.Routes.Any(r => r.Upstream == name && r.Methods.Any(m => m is "POST" or "PATCH")))
            {
                yield return $"upstreams.{name}.idempotency.carrier is none, because neither the file nor a preset says otherwise: a send that may have arrived is not "
                    + "repeated and ends as sent: maybe. If the vendor deduplicates, write how, for example idempotency: { carrier: header, name: Idempotency-Key, "
                    + "lifetime: 24h }; if it does not, write carrier: none.";
            }
        }

        foreach (var name in settings.Upstreams.Keys.Where(name => !settings.Routes.Any(r => r.Upstream == name)))
        {
            yield return $"upstreams.{name} has no route that leads to it: each request meant for it gets 404 route_not_found. Name a preset, which has routes, or write routes.";
        }

        foreach (var warning in settings.Guard.Warnings())
        {
            yield return warning;
        }

        if (!settings.KeepsKeys && !settings.KeepsKeysInRedis)
        {
            foreach (var route in settings.Routes.Where(r => r.Keys.Require && settings.Upstreams.TryGetValue(r.Upstream, out var u) && !u.Options.Idempotency.Covers(r.Path, r.Prefix)))
            {
                yield return $"route {route.Name} requires an Idempotency-Key, its vendor does not deduplicate, and nothing keeps the keys: each of its sends is refused with "
                    + "idempotency_store_unavailable. Give a journal: { path: ... } or fleet.redis.";
            }
        }
    }

    /// <summary>Tells them in the log.</summary>
    public static void Tell(ILogger logger, ProxySettings settings)
    {
        foreach (var warning in Of(settings))
        {
            Log.Warning(logger, warning);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(110, LogLevel.Warning, "Configuration: {Warning}")]
        public static partial void Warning(ILogger logger, string warning);
    }
}
