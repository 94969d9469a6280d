using SendProxy.Configuration;
using SendProxy.Egress.Admission;
using SendProxy.Egress.Routing;
using SendProxy.Hosting;
using SendProxy.Outbox.Messages;
using SendProxy.Overload;
using SendProxy.Queueing;
using SendProxy.Redis;
using SendProxy.Secrets;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Telemetry;
using SendProxy.Upstreams;
using ListenOptions = SendProxy.Hosting.ListenOptions;

namespace SendProxy;

/// <summary>The whole configuration as one immutable value. Each room reads its own section; here they meet.</summary>
internal sealed record ProxySettings(
    Roles Roles,
    ListenOptions Listen,
    GuardOptions Guard,
    ProcessOptions Process,
    IReadOnlyDictionary<string, UpstreamSettings> Upstreams,
    IReadOnlyDictionary<string, LimitOptions> Limits,
    LaneTable Lanes,
    IReadOnlyList<EgressRouteOptions> Routes,
    FleetOptions Fleet,
    JournalOptions Journal,
    OutboxOptions Outbox,
    WebhookSettings Webhooks,
    TelemetryOptions Telemetry,
    ShutdownOptions Shutdown)
{
    private const int Version = 1;

    /// <summary>Whether something of it stores items. One that stores none makes no file.</summary>
    public bool NeedsJournal => Webhooks.NeedsJournal(Roles) || ((KeepsKeys || UsesOutbox) && Roles.HasFlag(Roles.Egress)) || SendsOutbox;

    /// <summary>Messages may be stored: a journal or an outbox is written, or a route wants it.</summary>
    public bool UsesOutbox { get; init; }

    /// <summary>This process sends stored messages.</summary>
    public bool SendsOutbox => UsesOutbox && Roles.HasFlag(Roles.Worker) && (Roles.HasFlag(Roles.Egress) || Journal.Kind == JournalKind.Redis);

    /// <summary>A journal is written and there is no fleet: callers' idempotency keys are kept in it.</summary>
    public bool KeepsKeys { get; init; }

    /// <summary>Callers' idempotency keys are shared by the fleet.</summary>
    public bool KeepsKeysInRedis => Fleet.Redis is not null && Roles.HasFlag(Roles.Egress);

    /// <summary>Where commands find the proxy that runs on the file <paramref name="path"/>.</summary>
    public IReadOnlyList<string> AdminPlaces(string path) => AdminSocket.Places(Listen.AdminSocket, NeedsJournal && Journal.Kind == JournalKind.Sqlite ? Journal.Path : null, path);

    /// <summary>Files whose change is a change of the configuration.</summary>
    public IReadOnlyCollection<string> Files { get; init; } = [];

    /// <summary>Where each setting stands, by its dotted name.</summary>
    public IReadOnlyDictionary<string, SettingsPlace> Places { get; init; } = new Dictionary<string, SettingsPlace>();

    /// <returns>Where the setting stands, or the nearest around it that is written; null where none is.</returns>
    public SettingsPlace? PlaceOf(string setting)
    {
        for (var end = setting.Length; end > 0; end = setting.AsSpan(0, end).LastIndexOfAny('.', '['))
        {
            if (Places.TryGetValue(setting[..end], out var place))
            {
                return place;
            }
        }

        return null;
    }

    /// <summary>Every secret that is named, with what it must look like: to be looked at before it is needed.</summary>
    public IEnumerable<(string Name, ISecretSource Source, SecretFormat Form)> Secrets()
    {
        foreach (var (name, upstream) in Upstreams.Where(u => u.Value.Options.Credential.Source is not null))
        {
            yield return ($"upstreams.{name}.credential", upstream.Options.Credential.Source!, upstream.Options.Credential.Form);
        }

        foreach (var source in Webhooks.Sources.Values)
        {
            for (var i = 0; i < source.Secrets.Count; i++)
            {
                yield return ($"webhooks.sources.{source.Name}.secrets[{i}]", source.Secrets[i], source.KeyFormat.TextFormat);
            }

            if (source.VerifyToken is { } verifyToken)
            {
                yield return ($"webhooks.sources.{source.Name}.challenge.verifyToken", verifyToken, SecretFormat.Any);
            }
        }

        foreach (var subscriber in Webhooks.Subscribers.Values)
        {
            for (var i = 0; i < subscriber.SignWith.Count; i++)
            {
                yield return ($"webhooks.subscribers.{subscriber.Name}.signWith[{i}]", subscriber.SignWith[i], SigningKeyFormat.StandardWebhooks.TextFormat);
            }
        }

        if (Fleet.Redis?.Password is { } password)
        {
            yield return ("fleet.redis.password", password, SecretFormat.Any);
        }

        if (Journal.Redis?.Password is { } journalPassword)
        {
            yield return ("journal.redis.password", journalPassword, SecretFormat.Any);
        }

        if (Guard.CallerToken is { } token)
        {
            yield return ("guard.callerToken", token, SecretFormat.Any);
        }
    }

    /// <returns>A usable configuration.</returns>
    /// <exception cref="SettingsException">Something is wrong; carries everything that is.</exception>
    public static ProxySettings Load(string path, Func<string, string?> environment)
    {
        var (document, settings) = Open(path, environment);
        return document.Errors.Count == 0 ? settings! : throw new SettingsException(document.Errors, document.Included);
    }

    /// <summary>Where commands find the proxy that runs on the file, also where the file is broken by now: as far as it can be read.</summary>
    /// <returns>The places, and why a start would be refused; null where it would not.</returns>
    public static (IReadOnlyList<string> Places, SettingsException? Refused) AdminPlacesOf(string path, Func<string, string?> environment)
    {
        var (document, settings) = Open(path, environment);
        var places = settings?.AdminPlaces(path)
            ?? AdminSocket.Places(null, Path.GetFullPath(JournalOptions.UsualPath, Path.GetDirectoryName(Path.GetFullPath(path))!), path);
        return (places, document.Errors.Count == 0 ? null : new SettingsException(document.Errors, document.Included));
    }

    private static (SettingsDocument Document, ProxySettings? Settings) Open(string path, Func<string, string?> environment)
    {
        var document = new SettingsDocument(environment);
        ProxySettings? settings = null;
        try
        {
            var root = document.Open(path);
            settings = document.Errors.Count > 0 ? null : Read(root) with { Files = [.. document.Included], Places = document.Places() };
            if (settings is not null)
            {
                document.RefuseUnknownKeys();
            }
        }
#pragma warning disable CA1031 // A defect of a reader is told like an error of the file, at the place that was read last: the file can be written otherwise.
        catch (Exception e) when (e is not OutOfMemoryException)
#pragma warning restore CA1031
        {
            document.AddDefect(path, e);
        }

        return (document, settings);
    }

    /// <returns>Every setting there is, told by the same calls that read them.</returns>
    public static IReadOnlyCollection<SettingDescription> Describe()
    {
        var document = SettingsDocument.Describe();
        Read(new SettingsReader(document, "", [], ""));
        return document.Descriptions;
    }

    private static ProxySettings Read(SettingsReader root)
    {
        var version = root.Integer("version", root.Describing ? Version : 0, 0, 1_000_000, "Version of this form; 1.");
        root.Check(version == Version, "version", root.Has("version")
            ? $"this is SendProxy of version: {Version}; another number is another form of the file"
            : $"is required; write version: {Version} on the first line");
        var roles = ListenOptions.ReadRoles(root);
        var limits = root.Map("limits", "Limits of the vendor's plan; a route names those that its requests take a permit from.", LimitOptions.Read);
        var presetRoutes = new List<EgressRouteOptions>();
        var upstreams = root.Map("upstreams", "Vendors' APIs.", (name, reader) =>
        {
            reader.Check(!root.Has("routes") || !reader.Has("routes"), "routes",
                "means nothing where routes is written at the top, which replace the presets' routes; write the route there");
            return ReadUpstream(name, reader, [.. limits.Keys], presetRoutes);
        });
        var routes = root.List("routes", "Which requests go where; the first match wins. None given: the presets'.", r => EgressRouteOptions.Read(r, null, null));
        var settings = new ProxySettings(
            Roles: roles,
            Listen: ListenOptions.Read(root.Section("listen", "Where the process listens; cannot be changed while running.")),
            Guard: GuardOptions.Read(root.Section("guard", "Who may use the local port.")),
            Process: ProcessOptions.Read(root.Section("process", "Bounds of the whole process.")),
            Upstreams: upstreams,
            Limits: limits,
            Lanes: LaneTable.Read(root),
            Routes: root.Has("routes") || root.Describing ? routes : presetRoutes,
            Fleet: FleetOptions.Read(root.Section("fleet", "What the processes of a fleet share. Cannot be changed while running.")),
            Journal: JournalOptions.Read(root.Section(
                "journal", "What must not be lost: webhook events, and callers' idempotency keys where this section is written and there is no fleet.redis. Cannot be changed while running.")),
            Outbox: OutboxOptions.Read(root.Section("outbox", "Messages that are stored, answered 202 and sent later: Prefer: respond-async, routes with mode: queue. docs/OUTBOX.md.")),
            Webhooks: WebhookSettings.Read(root),
            Telemetry: TelemetryOptions.Read(root),
            Shutdown: ShutdownOptions.Read(root.Section("shutdown", "How the process ends.")));
        settings = settings with
        {
            // Where it is only possible and not asked for, somebody must be there who sends.
            UsesOutbox = settings.Outbox.Enabled && settings.Journal.Kind != JournalKind.None
                && (root.Has("outbox") || settings.Routes.Any(r => r.Outbox.IsUsed) || (root.Has("journal") && (settings.Roles.HasFlag(Roles.Worker) || settings.Journal.Kind == JournalKind.Redis))),
        };
        settings = settings with { KeepsKeys = root.Has("journal") && settings.Fleet.Redis is null && settings.Journal.Kind == JournalKind.Sqlite };
        SettingsChecks.Relations(root, settings);
        return settings with { Limits = limits.ToDictionary(l => l.Key, l => Bounded(l.Value, settings)) };
    }

    // What an upstream's answer may ask for is what a limit of its routes may be blocked for.
    private static LimitOptions Bounded(LimitOptions limit, ProxySettings settings)
    {
        TimeSpan[] waits = [.. settings.Routes.Where(r => r.Limits.Contains(limit.Name) && settings.Upstreams.ContainsKey(r.Upstream))
            .Select(r => settings.Upstreams[r.Upstream].Options.RateHeaders.MaxRetryAfter)];
        return waits.Length == 0 ? limit : limit with { MaxBlock = waits.Max() };
    }

    private static UpstreamSettings ReadUpstream(string name, SettingsReader reader, string[] limits, List<EgressRouteOptions> routes)
    {
        routes.AddRange(reader.NamedList(
            "routes", "Routes beside those of the preset, and changes of them by name: [{ name: sms, paused: true }]. Not together with routes at the top, which replace the presets'.",
            Presets.Apply(reader, "upstream"), r => EgressRouteOptions.Read(r, name, limits)));
        return new UpstreamSettings(
            UpstreamOptions.Read(name, reader),
            RetryOptions.Read(reader.Section("retry", "How often a message is attempted.")),
            BreakerOptions.Read(reader.Section("breaker", "When the upstream is given a rest.")));
    }
}

/// <summary>Section <c>upstreams.NAME</c>, as its rooms read it.</summary>
internal sealed record UpstreamSettings(UpstreamOptions Options, RetryOptions Retry, BreakerOptions Breaker);
