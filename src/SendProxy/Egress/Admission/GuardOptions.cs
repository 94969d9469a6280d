using SendProxy.Configuration;
using SendProxy.Secrets;

namespace SendProxy.Egress.Admission;

/// <summary>Where in a request patterns of credentials are looked for.</summary>
internal enum SecretPatterns
{
    Head,
    Everywhere,
    None,
}

/// <summary>Who may use the port. Section <c>guard</c>.</summary>
/// <param name="Hosts">Names that a Host header may have, without port: anything else is a web page that rebinds its name.</param>
/// <param name="RequireHeader">A header every request must carry, which a page cannot add to a simple request; null where none.</param>
/// <param name="CallerToken">Where a token stands that callers must send; null where none is asked for.</param>
/// <param name="AllowBrowsers">Requests that only browsers send are taken too: any page that the user opens can then spend the key.</param>
/// <param name="AllowSecrets">Credentials may stand in a request.</param>
/// <param name="Patterns">Where what looks like a credential is looked for; mounted ones are found everywhere.</param>
internal sealed record GuardOptions(
    bool AllowRemote, IReadOnlySet<string> Hosts, (string Name, string Value)? RequireHeader, ISecretSource? CallerToken, bool AllowBrowsers, bool AllowSecrets, SecretPatterns Patterns)
{
    private static readonly string[] Local = ["localhost", "127.0.0.1", "[::1]"];

    public static GuardOptions Read(SettingsReader guard)
    {
        var allowRemote = guard.Flag("allowRemote", false, "Let other machines call; needs callerToken.");
        var header = guard.Text("requireHeader", null, "A header that each request must carry, as in \"X-SendProxy: true\".", 200);
        var token = guard.OptionalSection("callerToken", "A token that callers send as Authorization: Bearer or SendProxy-Token.");
        var options = new GuardOptions(
            AllowRemote: allowRemote,
            Hosts: guard.Texts("hosts", Local, "Names that the Host header may have.").ToHashSet(StringComparer.OrdinalIgnoreCase),
            RequireHeader: ReadHeader(guard, header),
            CallerToken: token is null || guard.Describing ? null : SecretOptions.ReadSource(token, directory: false, required: true),
            AllowBrowsers: guard.Choice("browsers",
                "Requests with headers that only browsers send (Origin, Sec-Fetch-Site). allow lets every web page that a user of this machine opens spend your key; a callerToken lets a browser's request in without that.",
                ("refuse", false), ("allow", true)),
            AllowSecrets: guard.Flag("allowSecrets", false, "Let requests through in which a credential stands, mounted ones too; else 400 secret_in_request."),
            Patterns: guard.Choice("secretPatterns",
                "Where what looks like a credential of the route's vendor is refused: head (headers and target), everywhere (bodies too, but for lines of base64), none. Mounted credentials are found everywhere in any case.",
                ("head", SecretPatterns.Head), ("everywhere", SecretPatterns.Everywhere), ("none", SecretPatterns.None)));
        if (guard.Describing)
        {
            _ = SecretOptions.ReadSource(token!, directory: false, required: true);
        }

        guard.Check(!allowRemote || options.CallerToken is not null, "allowRemote",
            "needs callerToken: without it anybody who reaches the port spends your key");
        guard.Check(options.Hosts.Count > 0, "hosts", "must name at least one host");
        return options;
    }

    /// <returns>What a web page could do by these settings: a sentence each, with its remedy.</returns>
    public IEnumerable<string> Warnings()
    {
        if (CallerToken is not null)
        {
            yield break;
        }

        if (AllowBrowsers)
        {
            yield return "guard.browsers: allow lets every web page that a user of this machine opens spend your key. Give a guard.callerToken and take it away, if only programs of yours send a browser's headers.";
        }

        // Browsers send Sec-Fetch-Site to localhost and loopback addresses only, as far as plain http goes: docs/CLIENTS.md.
        var other = Hosts.Where(h => !h.Equals("localhost", StringComparison.OrdinalIgnoreCase) && !(System.Net.IPAddress.TryParse(h, out var ip) && System.Net.IPAddress.IsLoopback(ip)));
        if (RequireHeader is null && other.FirstOrDefault() is { } host)
        {
            yield return $"guard.hosts has {Spelling.Quoted(host)}, which is no local name: a web page can send it a GET that looks like a program's, though it cannot read the answer. "
                + "Where a GET does something, give guard.requireHeader or guard.callerToken.";
        }
    }

    private static (string, string)? ReadHeader(SettingsReader guard, string? text)
    {
        var at = text?.IndexOf(':', StringComparison.Ordinal) ?? 0;
        if (text is null)
        {
            return null;
        }

        guard.Check(at > 0 && HeaderName.Fits(text[..Math.Max(at, 0)].Trim()), "requireHeader", "must have the form \"Name: value\"");
        return at > 0 ? (text[..at].Trim(), text[(at + 1)..].Trim()) : null;
    }
}
