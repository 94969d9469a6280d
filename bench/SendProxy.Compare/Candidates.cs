namespace SendProxy.Compare;

/// <summary>All that are compared; the configuration of each lies in bench/compare/peers.</summary>
internal static class Candidates
{
    public const string Direct = "direct";
    public const string SendProxy = "sendproxy";

    private const string Limits = "limits: { plan: { rate: 100000/s } }";

    public static readonly Candidate Whole = Proxy(SendProxy, new());

    public static readonly Candidate BareYarp = new("bare yarp", false, s =>
        [Binary(s, "bareyarp"), $"{s.Port}", s.Upstream, Workshop.Key, s.Authority]);

    public static readonly Candidate Nginx = new("nginx, no limit", false, s => ["nginx", "-c", s.Fill("nginx.conf")]);

    public static readonly Candidate NginxLua = new("nginx+lua+redis", true, s => ["nginx", "-c", s.Fill("nginx-lua.conf")]);

    public static readonly Candidate HaProxy = new("haproxy, own limit", false, s =>
    [
        "haproxy", "-db", "-f",
        s.Fill("haproxy.cfg", ("TLS_SERVER", s.Scheme == "https" ? $"ssl verify required ca-file {s.Authority} sni str(localhost) verifyhost localhost" : "")),
    ]);

    public static readonly Candidate InProcess = new("in process", true, s =>
        [Binary(s, "inprocess"), $"{s.Port}", s.Upstream, Workshop.Key, s.Authority, $"{s.RedisPort}"]);

    public static readonly Candidate[] All = [Whole, BareYarp, Nginx, NginxLua, HaProxy, InProcess];

    /// <summary>SendProxy without one thing each; what it costs is the difference to <see cref="Whole"/>.</summary>
    public static readonly Candidate[] Features =
    [
        Whole,
        Proxy("sendproxy: no fleet", new() { ["FLEET"] = "" }),
        Proxy("sendproxy: no limit", new() { ["LIMITS"] = "" }),
        Proxy("sendproxy: no retry", new() { ["RETRY"] = "retry: { attempts: 1 }" }),
        Proxy("sendproxy: no log line", new() { ["TELEMETRY"] = "telemetry: { log: { successSample: 0% } }" }),
        Proxy("sendproxy: no key search", new() { ["GUARD"] = "guard: { allowSecrets: true }" }),
        Proxy("sendproxy: none of them", new()
        {
            ["FLEET"] = "", ["LIMITS"] = "", ["RETRY"] = "retry: { attempts: 1 }", ["TELEMETRY"] = "telemetry: { log: { successSample: 0% } }", ["GUARD"] = "guard: { allowSecrets: true }",
        }),
        BareYarp,
    ];

    /// <summary>SendProxy with other settings; empty: the whole of it.</summary>
    public static Candidate Proxy(string name, Dictionary<string, string> changes) => new(
        name, changes.GetValueOrDefault("FLEET") != "", s =>
        [
            Environment.GetEnvironmentVariable("SENDPROXY_BINARY") ?? Path.Combine(s.Shop.Root, "artifacts/publish/linux-x64/sendproxy"), "--config",
            s.Fill("sendproxy.yaml", [
                ("TLS", s.Scheme == "https" ? $"tls: {{ caFile: {s.Authority} }}" : ""),
                ("RETRY", ""), ("LIMITS", Limits), ("GUARD", ""), ("TELEMETRY", ""),
                ("SEAL", changes.GetValueOrDefault("FLEET") == "" ? "" : ", sealKeys: [{ file: seal }]"),
                ("FLEET", $"fleet: {{ redis: {{ connection: \"127.0.0.1:{s.RedisPort}\" }} }}"),
                .. changes.Select(c => (c.Key, c.Value)),
            ]),
        ]);

    private static string Binary(Setting s, string name) => Path.Combine(s.Shop.Root, "artifacts/bench", name, name);
}
