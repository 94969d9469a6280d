using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Upstreams.Connections;
using SendProxy.Upstreams.Credentials;
using SendProxy.Upstreams.Responses;

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
            $"is on this machine; if that is meant, for the sandbox for example, write allowInsecureLoopback: true beside it, under {upstream.Path}");
        upstream.Check(address.Scheme == Uri.UriSchemeHttps || upstream.Section("connections", "Connections to the vendor.").Has("proxy") is false, "address",
            "must be https where connections.proxy is set: the proxy would see the key");
        upstream.Check(address.Query.Length == 0 && address.Fragment.Length == 0, "address", "takes no query and no fragment");
        upstream.Check(address.AbsolutePath == "/", "address", "takes no path; paths are the routes'");
    }
}
