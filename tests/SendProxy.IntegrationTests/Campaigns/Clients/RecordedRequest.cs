using System.Text;

namespace SendProxy.IntegrationTests.Campaigns.Clients;

/// <summary>A request as a client put it on the wire.</summary>
/// <param name="Name">The client, its version and what it was asked to do.</param>
/// <param name="Bytes">One char a byte.</param>
/// <param name="Expected">Status and code, as in <c>403 browser_refused</c>; null where it must arrive at the vendor.</param>
internal sealed record RecordedRequest(string Name, string Bytes, string? Expected)
{
    /// <summary>Requests of HTTP libraries, which must pass.</summary>
    public static IReadOnlyList<RecordedRequest> Clients { get; } = Load("clients.http");

    /// <summary>Requests of web pages in browsers, which must not.</summary>
    public static IReadOnlyList<RecordedRequest> Browsers { get; } = Load("browsers.http");

    public string Body => Bytes[(Bytes.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];

    private static List<RecordedRequest> Load(string file)
    {
        using var stream = typeof(RecordedRequest).Assembly.GetManifestResourceStream(file)!;
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return [.. reader.ReadToEnd().Split("\n### ")[1..].Select(Parse)];
    }

    private static RecordedRequest Parse(string text)
    {
        var title = text[..text.IndexOf('\n', StringComparison.Ordinal)].Split(" -> ");
        var request = text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..];
        var head = request[..request.IndexOf("\n\n", StringComparison.Ordinal)];
        var body = request[(head.Length + 2)..];

        // The file's own line end is not the body's; a body in chunks has line ends of the protocol.
        body = head.Contains("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)
            ? body.TrimEnd('\n').Replace("\n", "\r\n", StringComparison.Ordinal) + "\r\n\r\n"
            : body.TrimEnd('\n');
        return new RecordedRequest(title[0], head.Replace("\n", "\r\n", StringComparison.Ordinal) + "\r\n\r\n" + body, title.Length > 1 ? title[1] : null);
    }
}
