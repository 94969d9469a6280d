using System.Net;
using SendProxy.Configuration;
using SendProxy.Secrets;

namespace SendProxy.FanOut;

/// <summary>Who gets events. Section <c>webhooks.subscribers.NAME</c>.</summary>
/// <param name="Url">Where to POST; for a unix socket <c>http://localhost/path</c>.</param>
/// <param name="UnixPath">The socket; null where it is TCP.</param>
/// <param name="Sources">Empty: all.</param>
internal sealed record SubscriberOptions(
    string Name,
    Uri Url,
    string? UnixPath,
    IReadOnlySet<string> Sources,
    IReadOnlyList<EventGlob> Events,
    TimeSpan Timeout,
    TimeSpan RetryFor,
    TimeSpan BaseDelay,
    TimeSpan MaxDelay,
    int Concurrency,
    IReadOnlyList<ISecretSource> SignWith,
    bool AllowPrivateAddresses)
{
    private const string UnixPrefix = "unix:";
    private const string Example = "http://127.0.0.1:3000/hooks";

    /// <summary>
    /// On this machine: its events wait while it does not listen, and a refused connection costs no attempt (<c>one-pod</c>).
    /// </summary>
    public bool IsLocal => UnixPath is not null || IsLoopback(Url);

    public static SubscriberOptions Read(string name, SettingsReader subscriber)
    {
        var (url, unixPath) = ReadUrl(subscriber);
        var retry = subscriber.Section("retry", "When a delivery is tried again.");
        var keys = subscriber.List("signWith",
            "Keys that events are signed with (Standard Webhooks, whsec_...): each makes a signature, several while one is rotated.",
            r => SecretOptions.ReadSource(r, directory: false, required: true), 5);
        var options = new SubscriberOptions(
            Name: name,
            Url: url,
            UnixPath: unixPath,
            Sources: subscriber.Texts("sources", [], "Names of webhooks.sources whose events it gets; none given: all.")
                .ToHashSet(StringComparer.Ordinal),
            Events: [.. subscriber.Texts("events", ["*"], "Types of events it gets; * stands for any text: message.*.")
                .Select(t => new EventGlob(t))],
            Timeout: subscriber.Duration("timeout", "30s", "100ms", "5m", "For one delivery, the answer's body included."),
            RetryFor: retry.Duration("for", "3d", "1s", "30d", "After a first failure; then the event is put aside as dead, to be replayed by hand."),
            BaseDelay: retry.Duration("baseDelay", "1s", "10ms", "1h", "About the first wait; later ones grow, with jitter."),
            MaxDelay: retry.Duration("maxDelay", "1h", "100ms", "24h", "The longest wait, also where the subscriber asks for a longer one by Retry-After."),
            Concurrency: (int)subscriber.Integer("concurrency", 16, 1, 1000, "Deliveries to it at once."),
            SignWith: [.. keys.OfType<ISecretSource>()],
            AllowPrivateAddresses: subscriber.Flag("allowPrivateAddresses", false, "Let it be in a private network; loopback needs no permission."));
        retry.Check(options.BaseDelay <= options.MaxDelay, "baseDelay", "is longer than maxDelay");
        subscriber.Check(options.IsLocal || options.SignWith.Count > 0, "signWith",
            "is required for a subscriber on another machine: without it anybody could send it events");
        return options;
    }

    private static (Uri Url, string? UnixPath) ReadUrl(SettingsReader subscriber)
    {
        var none = (new Uri("http://localhost/"), (string?)null);
        var text = subscriber.RequiredText("url", "Where events are POSTed: http, https, or unix:/path/to.sock:/path.", Example);
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            var colon = text.IndexOf(':', UnixPrefix.Length);
            var path = colon < 0 ? text[UnixPrefix.Length..] : text[UnixPrefix.Length..colon];
            var target = colon < 0 ? "/" : text[(colon + 1)..];
            if (path.StartsWith('/') && target.StartsWith('/') && Uri.TryCreate($"http://localhost{target}", UriKind.Absolute, out var local))
            {
                return (local, path);
            }
        }
        else if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0)
        {
            return (uri, null);
        }

        subscriber.Check(text.Length == 0, "url",
            $"{Spelling.Quoted(text)} is no address of this form; write {Example}, or unix:/run/app.sock:/hooks");
        return none;
    }

    private static bool IsLoopback(Uri url) =>
        url.IdnHost.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(url.IdnHost, out var address) && IPAddress.IsLoopback(address));
}

/// <summary>A pattern for types of events: <c>*</c> stands for any text, everything else for itself.</summary>
internal sealed record EventGlob(string Text)
{
    public bool Matches(string type)
    {
        var parts = Text.Split('*');
        if (parts.Length == 1)
        {
            return type == Text;
        }

        if (!type.StartsWith(parts[0], StringComparison.Ordinal))
        {
            return false;
        }

        var at = parts[0].Length;
        foreach (var part in parts[1..^1])
        {
            var found = type.IndexOf(part, at, StringComparison.Ordinal);
            if (found < 0)
            {
                return false;
            }

            at = found + part.Length;
        }

        return type.Length - at >= parts[^1].Length && type.EndsWith(parts[^1], StringComparison.Ordinal);
    }
}
