using SendProxy.Configuration;
using SendProxy.Secrets;

namespace SendProxy.Upstreams.Credentials;

/// <summary>The key of an upstream: where it comes from, how it is written, where it may go. Section <c>credential</c>.</summary>
/// <param name="Source">Null only where the configuration is refused.</param>
/// <param name="Hosts">The only places the key is sent to.</param>
/// <param name="NextShare">Share of new messages that go out with the next key.</param>
/// <param name="Header">The header's name.</param>
/// <param name="Format">The header's value with <c>{secret}</c> in it.</param>
/// <param name="Form">What a live and a test key look like.</param>
internal sealed record CredentialOptions(
    ISecretSource? Source, IReadOnlyList<HostBinding> Hosts, double NextShare, string Header, string Format, SecretFormat Form)
{
    public const string Placeholder = "{secret}";
    public const string Base64Placeholder = "{secret:base64}";

    public static CredentialOptions Read(SettingsReader credential, Uri? address, bool fromEnvironment)
    {
        var source = SecretOptions.ReadSource(credential, directory: true, required: true);
        var hosts = ReadHosts(credential, address, fromEnvironment);
        var options = new CredentialOptions(
            Source: source,
            Hosts: hosts,
            NextShare: credential.Share("nextShare", "0%", "Share of new messages that go out with the key in next."),
            Header: credential.Text("header", "Authorization", "The header that carries the key (preset).", 100)!,
            Format: credential.Text("format", "Bearer {secret}", "The header's value around the key (preset).", 200)!,
            Form: ReadForm(credential));
        credential.Check(HeaderName.Fits(options.Header), "header", "must be a header name: letters, digits and -");
        credential.Check(
            options.Format.Contains(Placeholder, StringComparison.Ordinal) || options.Format.Contains(Base64Placeholder, StringComparison.Ordinal),
            "format", $"must contain {Placeholder} or {Base64Placeholder}");
        return options;
    }

    private static SecretFormat ReadForm(SettingsReader credential)
    {
        var live = credential.Pattern("pattern", null, "What a live key looks like (preset). Another value is never sent where you wrote the pattern; a preset's only warns.");
        var test = credential.Pattern("testPattern", null, "What a test key looks like (preset).");
        return new SecretFormat(live, test, credential.Flag("allowTestKey", false, "Let a test key through."))
        {
            IsAdvice = !credential.IsOwn("pattern"),
            IsCredential = true,
        };
    }

    private static List<HostBinding> ReadHosts(SettingsReader credential, Uri? address, bool fromEnvironment)
    {
        var written = credential.Texts("hosts", [],
            "The only places the key may be sent to: host, host:port or https://host:port. Default: the address, if it is written out.", 20);
        var hosts = new List<HostBinding>();
        foreach (var text in written)
        {
            if (HostBinding.TryParse(text, out var host))
            {
                hosts.Add(host);
            }
            else
            {
                credential.Fail("hosts", $"{Spelling.Quoted(text)} is no host; write host, host:port or https://host:port");
            }
        }

        if (address is null)
        {
            return hosts;
        }

        if (written.Count == 0)
        {
            credential.Check(!fromEnvironment, "hosts",
                "is required because address comes from the environment: whoever sets that could otherwise have the key sent to a host of theirs");
            return [HostBinding.Of(address)];
        }

        credential.Check(hosts.Count == 0 || hosts.Contains(HostBinding.Of(address)), "hosts",
            $"does not list the address {HostBinding.Of(address)}: the key would never be sent");
        return hosts;
    }
}

/// <summary>A scheme, host and port that a key is bound to.</summary>
internal readonly record struct HostBinding(string Scheme, string Host, int Port)
{
    public static HostBinding Of(Uri uri) => new(uri.Scheme, uri.IdnHost.ToLowerInvariant(), uri.Port);

    /// <summary>https and port 443 where they are left out.</summary>
    public static bool TryParse(string text, out HostBinding host)
    {
        host = default;
        var full = text.Contains("://", StringComparison.Ordinal) ? text : $"https://{text}";
        if (!Uri.TryCreate(full, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http")
            || uri.PathAndQuery != "/" || uri.UserInfo.Length > 0 || uri.Host.Length == 0 || text.Contains('*', StringComparison.Ordinal))
        {
            return false;
        }

        host = Of(uri);
        return true;
    }

    public override string ToString() => $"{Scheme}://{Host}:{Port}";
}
