using SendProxy.Configuration;
using SendProxy.Hosting;

namespace SendProxy;

/// <summary>Relations between sections of different rooms.</summary>
internal static class SettingsChecks
{
    public static void Relations(SettingsReader root, ProxySettings settings)
    {
        if (root.Describing)
        {
            return;
        }

        if (settings.Roles.HasFlag(Roles.Egress))
        {
            root.Check(settings.Upstreams.Count > 0, "upstreams",
                "is required for the role egress; name at least one: upstreams: { sendapi: { preset: sendapi, address: ..., credential: ... } }");
            var remote = settings.Listen.Egress.FirstOrDefault(a => !a.IsLocal);
            root.Section("listen", "").Check(remote is null || settings.Guard.AllowRemote, "egress",
                $"{remote} can be reached from other machines; listen on loopback, or set guard.allowRemote with a callerToken");
        }

        root.Section("journal", "").Check(!settings.NeedsJournal || settings.Journal.Kind != Queueing.JournalKind.None, "kind",
            "is none, and webhooks need a journal: what is acknowledged must be stored");
        root.Section("journal", "").Check(!settings.KeepsKeysInRedis || settings.Journal.SealKeys.Count > 0, "sealKeys",
            "is required with fleet.redis, where answers are kept sealed and all processes must open them: "
            + "journal: { sealKeys: [{ file: /run/secrets/journal/key }] } (openssl rand -base64 32)");
        Outbox(root, settings);
        JournalOnRedis(root.Section("journal", ""), settings);
        Routes(root, settings);
        DerivedKeys(root, settings);
        Addresses(root, settings);
    }

    private static void Outbox(SettingsReader root, ProxySettings settings)
    {
        var wanting = settings.Routes.FirstOrDefault(r => r.Outbox.IsUsed);
        var wants = wanting is not null ? $"the route {wanting.Name} stores messages ({(wanting.Outbox.Always ? "mode" : "whenBusy")}: queue)" : root.Has("outbox") ? "outbox is written" : null;
        root.Section("journal", "").Check(wants is null || !settings.Outbox.Enabled || settings.Journal.Kind != Queueing.JournalKind.None, "kind",
            $"is none, and {wants}: what is answered 202 must be stored; write journal: {{ path: /var/lib/sendproxy/journal.db }}, or take the outbox away");
        root.Check(wanting is null || settings.Outbox.Enabled, "outbox", $"has enabled: false, and {wants}; enable it, or change the route");
        root.Check(!settings.UsesOutbox || settings.Journal.Kind != Queueing.JournalKind.Sqlite || settings.Roles.HasFlag(Roles.Worker) || !settings.Roles.HasFlag(Roles.Egress), "roles",
            "lack worker, and messages are stored in a file of this process: nobody would send them; add worker, or write outbox: { enabled: false }");
        root.Section("outbox", "").Check(settings.Outbox.Lane is null || settings.Lanes.Find(settings.Outbox.Lane) is not null, "lane",
            $"{Spelling.Quoted(settings.Outbox.Lane ?? "")} is no name of lanes{Near(settings.Outbox.Lane ?? "", settings.Lanes.All.Select(l => l.Name))}");
        var reading = settings.Routes.FirstOrDefault(r => r.Outbox.Always && r.Methods.Any(m => m is "GET" or "HEAD" or "OPTIONS"));
        root.Check(reading is null, "routes", $"route {Spelling.Quoted(reading?.Name ?? "")} has mode: queue, and GET, HEAD or OPTIONS among its methods: an answer is asked for there, not a send");
    }

    private static void JournalOnRedis(SettingsReader journal, ProxySettings settings)
    {
        var options = settings.Journal;
        if (options.Kind != Queueing.JournalKind.Redis || !settings.NeedsJournal)
        {
            return;
        }

        journal.Check(options.Redis is not null || settings.Fleet.Redis is not null, "kind",
            "is redis, and there is none: write journal: { redis: { connection: redis:6379 } }, or fleet.redis, which it then shares");
        journal.Check(options.SealKeys.Count > 0, "sealKeys",
            "is required with kind: redis, where all processes must open the items that each has sealed: "
            + "journal: { sealKeys: [{ file: /run/secrets/journal/key }] } (openssl rand -base64 32)");
        journal.Check(options.Minimum != Queueing.Durability.Replicated || options.Replicas > 0, "minimum",
            "is replicated, and replicas is 0: write how many replicas must have an item, as replicas: 1");
    }

    private static void Routes(SettingsReader root, ProxySettings settings)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var matches = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < settings.Routes.Count; i++)
        {
            var route = settings.Routes[i];
            root.Check(names.Add(route.Name) || route.Name.Length == 0, "routes", $"two routes are named {Spelling.Quoted(route.Name)}");
            root.Check(route.Upstream.Length == 0 || settings.Upstreams.ContainsKey(route.Upstream), "routes",
                $"routes[{i}].upstream {Spelling.Quoted(route.Upstream)} is no name of upstreams{Near(route.Upstream, settings.Upstreams.Keys)}");
            root.Check(route.Lane is null || settings.Lanes.Find(route.Lane) is not null, "routes",
                $"routes[{i}].lane {Spelling.Quoted(route.Lane ?? "")} is no name of lanes{Near(route.Lane ?? "", settings.Lanes.All.Select(l => l.Name))}");
            foreach (var limit in route.Limits)
            {
                root.Check(settings.Limits.ContainsKey(limit), "routes",
                    $"routes[{i}].limits {Spelling.Quoted(limit)} is no name of limits{Near(limit, settings.Limits.Keys)}");
            }

            foreach (var method in route.Methods)
            {
                root.Check(matches.Add($"{method} {route.Path}\n{route.Prefix}"), "routes",
                    $"routes[{i}] matches the same requests as a route before it ({method} {route.Path ?? route.Prefix}); it would never be used");
            }
        }
    }

    // Each such send would be refused: the key must be kept, or known to the vendor.
    private static void DerivedKeys(SettingsReader root, ProxySettings settings)
    {
        var unkept = settings.KeepsKeys || settings.KeepsKeysInRedis ? null : settings.Routes.FirstOrDefault(r => r.Keys.DeriveWithin is not null
            && settings.Upstreams.TryGetValue(r.Upstream, out var upstream) && !upstream.Options.Idempotency.Covers(r.Path, r.Prefix));
        root.Check(unkept is null, "routes",
            $"route {Spelling.Quoted(unkept?.Name ?? "")} has idempotency.derive: content, its vendor does not deduplicate, and nothing keeps the keys, so that each "
            + "of its sends would be refused; give a journal: { path: ... } or fleet.redis");
    }

    private static void Addresses(SettingsReader root, ProxySettings settings)
    {
        var all = settings.Listen.Egress.Concat(settings.Listen.Webhooks).Concat(settings.Listen.Metrics)
            .Where(a => a.Tcp is not { Port: 0 });
        var twice = all.GroupBy(a => a.ToString(), StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1);
        root.Check(twice is null, "listen", $"{twice?.Key} is used twice");
    }

    private static string Near(string name, IEnumerable<string> known) =>
        Spelling.Nearest(name, known) is { } near ? $"; did you mean {near}?" : "";
}
