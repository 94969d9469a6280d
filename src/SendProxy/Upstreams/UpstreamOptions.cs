using SendProxy.Configuration;
using SendProxy.Errors;

namespace SendProxy.Upstreams;

/// <summary>One vendor's API as the operator and the preset describe it. Section <c>upstreams.NAME</c>.</summary>
internal sealed record UpstreamOptions(
    string Name,
    Uri Address,
    CredentialOptions Credential,
    IdempotencyCarrier Idempotency,
    ClientErrorFormat Errors,
    IReadOnlyList<ClassifyRule> Classify,
    RateHeaderNames RateHeaders,
    JsonPointer? MessageId,
    TimeoutOptions Timeouts,
    ConnectionOptions Connections,
    ResponseOptions Responses,
    TlsOptions Tls,
    int? MaxInFlight,
    bool AllowPrivateAddresses,
    bool AllowInsecureLoopback,
    string Fingerprint)
{
    private static readonly Uri Nowhere = new("https://invalid.invalid");

    public static UpstreamOptions Read(string name, SettingsReader upstream)
    {
        var (address, fromEnvironment) = upstream.Url(
            "address", required: true, "Where the vendor's API is: https, or http on loopback with allowInsecureLoopback.",
            "https://api.vendor.example", "https", "http");
        var insecure = upstream.Flag("allowInsecureLoopback", false, "Allow an address on this machine, also over plain http: for tests and the sandbox.");
        var options = new UpstreamOptions(
            Name: name,
            Address: address ?? Nowhere,
            Credential: CredentialOptions.Read(
                upstream.Section("credential", "The key and where it may go."), address, fromEnvironment),
            Idempotency: IdempotencyCarrier.Read(upstream.Section("idempotency", "How the vendor deduplicates (preset).")),
            Errors: ReadErrors(upstream.Section("errors", "How the proxy's own answers look to clients of this API (preset); docs/CLIENTS.md.")),
            Classify: upstream.List("classify", "What an answer means where its status alone does not say; the first match wins (preset).", ClassifyRule.Read, 50),
            RateHeaders: RateHeaderNames.Read(upstream.Section("rateHeaders", "The vendor's rate headers (preset); the IETF ones are always read.")),
            MessageId: upstream.Pointer("messageId", null, "The message's id in a 2xx answer (preset)."),
            Timeouts: TimeoutOptions.Read(upstream.Section("timeouts", "Bounds of one request.")),
            Connections: ConnectionOptions.Read(upstream.Section("connections", "Connections to the vendor.")),
            Responses: ResponseOptions.Read(upstream.Section("responses", "What of the vendor's responses is read and passed on.")),
            Tls: TlsOptions.Read(upstream.Section("tls", "TLS to the vendor; the system's authorities by default.")),
            MaxInFlight: (int?)upstream.OptionalInteger("maxInFlight", 1, 100_000,
                "Requests to this upstream at once, waiting ones included; more get 503 upstream_busy. Default: half of process.maxInFlight, or all of it where this is the only upstream."),
            AllowPrivateAddresses: upstream.Flag("allowPrivateAddresses", false, "Allow private networks (RFC 1918, fc00::/7, CGNAT); never link-local or metadata."),
            AllowInsecureLoopback: insecure,
            Fingerprint: upstream.Fingerprint());
        CheckAddress(upstream, address, insecure);
        return options;
    }

    private static ClientErrorFormat ReadErrors(SettingsReader errors) => new(
        Member: errors.Choice("member", "What the vendor's own libraries read of an error: none; text: ok and error as a text (Slack); object: error with type, code and message (Stripe, OpenAI).",
            ("none", ErrorMember.None), ("text", ErrorMember.Text), ("object", ErrorMember.Object)),
        UndecidedStatus: (int)errors.Integer("undecidedStatus", ClientErrorFormat.DefaultUndecidedStatus, 200, 499,
            "The status where the vendor may have acted and the usual one (5xx, 429, 408) would make clients repeat by themselves."));

    private static void CheckAddress(SettingsReader upstream, Uri? address, bool insecure)
    {
        if (address is null)
        {
            return;
        }

        upstream.Check(address.Scheme == Uri.UriSchemeHttps || address.IsLoopback, "address",
            "must be https: the key would cross the network in the clear");
        upstream.Check(!address.IsLoopback || insecure, "address",
            "is on this machine; set allowInsecureLoopback: true if that is meant, for the sandbox for example");
        upstream.Check(address.Scheme == Uri.UriSchemeHttps || upstream.Section("connections", "Connections to the vendor.").Has("proxy") is false, "address",
            "must be https where connections.proxy is set: the proxy would see the key");
        upstream.Check(address.Query.Length == 0 && address.Fragment.Length == 0, "address", "takes no query and no fragment");
        upstream.Check(address.AbsolutePath == "/", "address", "takes no path; paths are the routes'");
    }
}

/// <summary>How the vendor recognises a repeated request.</summary>
/// <param name="Kind">Where the key goes; None: the vendor does not deduplicate.</param>
/// <param name="Name">The header's name.</param>
/// <param name="Pointer">Where in a JSON body; null unless the kind is Body.</param>
/// <param name="IsStated">The file or the preset says so; false where it is only the default.</param>
/// <param name="Lifetime">How long the vendor remembers a key.</param>
internal sealed record IdempotencyCarrier(CarrierKind Kind, string Name, JsonPointer? Pointer, bool IsStated, TimeSpan Lifetime)
{
    public bool Deduplicates => Kind != CarrierKind.None;

    public static IdempotencyCarrier Read(SettingsReader idempotency)
    {
        var carrier = new IdempotencyCarrier(
            Kind: idempotency.Choice("carrier", "Where the key goes; none: the vendor does not deduplicate, and nothing that may have arrived is repeated.",
                ("none", CarrierKind.None), ("header", CarrierKind.Header), ("body", CarrierKind.Body)),
            Name: idempotency.Text("name", "Idempotency-Key", "The header that carries the key.", 100)!,
            Pointer: idempotency.Pointer("pointer", null, "With carrier: body: where in the JSON body the key is written; the other bytes stay as they are."),
            IsStated: idempotency.Has("carrier"),
            Lifetime: idempotency.Duration("lifetime", "24h", "1m", "90d", "How long the vendor remembers a key; nothing is repeated later than 90 % of it."));
        idempotency.Check(carrier.Kind == CarrierKind.Body == carrier.Pointer is not null, "pointer", carrier.Pointer is null
            ? "is required with carrier: body; write for example pointer: /headers/idempotencyKey"
            : "means something only with carrier: body");
        idempotency.Check(carrier.Pointer?.Segments.Contains("*") != true, "pointer", "names one place: no *");
        idempotency.Check(HeaderName.Fits(carrier.Name), "name", "must be a header name: letters, digits and -");
        return carrier;
    }
}

/// <summary>Where an idempotency key goes.</summary>
internal enum CarrierKind
{
    Header,
    Body,
    None,
}

/// <summary>Names of the vendor's own rate headers; null where it has none.</summary>
/// <param name="ResetMilliseconds">A small number in <paramref name="Reset"/> counts milliseconds left, not seconds.</param>
internal sealed record RateHeaderNames(string? Limit, string? Remaining, string? Reset, bool ResetMilliseconds = false)
{
    /// <summary>The longest wait that an answer can ask for where nothing else is configured.</summary>
    public static readonly TimeSpan UsualMaxRetryAfter = TimeSpan.FromMinutes(5);

    /// <summary>The longest wait that an answer can ask for; whoever asks for more is asked again after it.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = UsualMaxRetryAfter;

    public static RateHeaderNames Read(SettingsReader headers) => new(
        Limit: headers.Text("limit", null, "The plan's limit (preset).", 100),
        Remaining: headers.Text("remaining", null, "What is left of it (preset).", 100),
        Reset: headers.Text("reset", null, "When it is full again: seconds left, unix seconds or unix milliseconds (preset).", 100),
        ResetMilliseconds: headers.Choice("resetUnit", "What a small number in reset counts; points in time are told apart by their size (preset).", ("seconds", false), ("milliseconds", true)))
    {
        MaxRetryAfter = headers.Duration("maxRetryAfter", "5m", "1s", "24h",
            "The longest wait that an answer can ask for, by Retry-After or by its reset. One that asks for more is tried again after this time, with a single request (preset)."),
    };
}

/// <summary>Section <c>timeouts</c>.</summary>
/// <param name="Connect">TCP and TLS.</param>
/// <param name="Attempt">One attempt, to the answer's headers.</param>
/// <param name="Total">All attempts and waits, to the answer's headers; of a buffered answer, to its end.</param>
/// <param name="BodyIdle">Longest silence inside a streamed answer; the whole of a buffered one.</param>
internal sealed record TimeoutOptions(TimeSpan Connect, TimeSpan Attempt, TimeSpan Total, TimeSpan BodyIdle)
{
    public static TimeoutOptions Read(SettingsReader timeouts)
    {
        var options = new TimeoutOptions(
            Connect: timeouts.Duration("connect", "2s", "10ms", "1m", "Longest wait for a connection, TLS included."),
            Attempt: timeouts.Duration("attempt", "10s", "10ms", "10m", "Longest time of one attempt, to the answer's headers."),
            Total: timeouts.Duration("total", "30s", "10ms", "1h", "Longest time of a request with all waits and attempts, up to the end of a buffered answer or the head of a streamed one."),
            BodyIdle: timeouts.Duration("bodyIdle", "30s", "100ms", "1h", "Longest silence inside a streamed answer; one that is buffered (up to 64KiB) must come whole within it."));
        timeouts.Check(options.Attempt <= options.Total, "attempt", "must not be longer than total");
        return options;
    }
}

/// <summary>Section <c>connections</c>.</summary>
/// <param name="Proxy">Tunnels every connection by CONNECT; null: none, whatever the environment says.</param>
internal sealed record ConnectionOptions(int Max, TimeSpan Idle, TimeSpan Lifetime, bool Http2, Uri? Proxy)
{
    public static ConnectionOptions Read(SettingsReader connections)
    {
        var options = new ConnectionOptions(
            Max: (int)connections.Integer("max", 100, 1, 10_000, "Most connections to the vendor at once."),
            Idle: connections.Duration("idle", "30s", "1s", "1h", "An idle connection is closed after this; keep it below the vendor's own."),
            Lifetime: connections.Duration("lifetime", "5m", "1s", "24h", "A connection is renewed after this, so that DNS changes are seen."),
            Http2: connections.Flag("http2", false, "Use HTTP/2 where the vendor offers it."),
            Proxy: connections.Url("proxy", required: false,
                "An HTTP proxy that tunnels to the vendor by CONNECT; it may be in a private network. It resolves the vendor's name, so the rules for addresses cannot hold behind it. No user or password.",
                "http://proxy:3128", "http").Item1);
        connections.Check(options.Proxy is null or { AbsolutePath: "/", Query: "" }, "proxy", "takes host and port only");
        return options;
    }
}

/// <summary>Section <c>responses</c>.</summary>
/// <param name="MaxHeadSize">Of what the vendor may send; in bytes.</param>
/// <param name="MaxHeaders">Header lines of a response that go to the caller.</param>
/// <param name="MaxHeadersSize">Bytes of them.</param>
internal sealed record ResponseOptions(long MaxHeadSize, int MaxHeaders, long MaxHeadersSize)
{
    public static ResponseOptions Read(SettingsReader responses) => new(
        MaxHeadSize: responses.Size("maxHeadSize", "256KiB", "8KiB", "4MiB", "Largest head of a response that is read; a larger one is told as upstream_broken."),
        MaxHeaders: (int)responses.Integer("maxHeaders", 70, 10, 1000,
            "Most header lines of the vendor's that are passed on; what goes beyond is dropped and told. Python's http.client reads 100 with the proxy's own."),
        MaxHeadersSize: responses.Size("maxHeadersSize", "12KiB", "1KiB", "1MiB",
            "Most bytes of the vendor's headers that are passed on; what goes beyond is dropped and told. Node.js reads 16KiB with the proxy's own."));
}

/// <summary>Section <c>tls</c>. All files are PEM and read again when their content changes.</summary>
internal sealed record TlsOptions(string? CaFile, string? ClientCertificate, string? ClientKey)
{
    public static TlsOptions Read(SettingsReader tls)
    {
        var options = new TlsOptions(
            CaFile: tls.FilePath("caFile", null, "PEM file with the only authorities that are trusted for this upstream; read again when it changes."),
            ClientCertificate: tls.FilePath("clientCertificate", null, "PEM file with the certificate that is shown to the vendor; needs clientKey; read again when it changes."),
            ClientKey: tls.FilePath("clientKey", null, "PEM file with the certificate's private key, not encrypted."));
        tls.Check(options.ClientCertificate is null == options.ClientKey is null, "clientCertificate", "and clientKey are needed together");
        return options;
    }
}
