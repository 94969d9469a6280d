using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace SendProxy.IntegrationTests.Abuse;

/// <summary>Bytes to a listener, and what it answers, as no HTTP client would show it.</summary>
internal static class Wire
{
    /// <summary>Frames of HTTP/2 that say that HTTP/1.1 is required.</summary>
    public const string GoAway = "GOAWAY";

    private const string Nothing = "closed";

    /// <param name="bytes">One char a byte.</param>
    /// <param name="ends">Ends its side after the bytes: for requests that are not complete.</param>
    /// <returns>
    /// Every answer until the other side closes, in one line: <c>404 route_not_found</c> where the proxy answers, <c>400</c> where the web
    /// server does, <c>closed</c> where nobody does.
    /// </returns>
    public static async Task<string> AskAsync(Uri address, string bytes, bool ends, CancellationToken cancellation)
    {
        using var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(address.Host.Trim('[', ']'), address.Port, cancellation);
        var stream = socket.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), cancellation);
            if (ends)
            {
                socket.Client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (IOException)
        {
            // It has answered and closed before it had everything; the answer is still to be read.
        }

        return Summary(await ReadAsync(stream, cancellation));
    }

    /// <summary>As a client that keeps its connection: the first final answer (RFC 9110, 15.2) is all that is waited for.</summary>
    /// <param name="pieces">Written one after the other.</param>
    public static async Task<string> AskOnceAsync(Uri address, string[] pieces, CancellationToken cancellation)
    {
        using var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(address.Host.Trim('[', ']'), address.Port, cancellation);
        var stream = socket.GetStream();
        foreach (var piece in pieces)
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(piece), cancellation);
        }

        var text = await ReadAsync(stream, cancellation, IsAnswered);
        return Summary(text.StartsWith("HTTP/1.1 100 ", StringComparison.Ordinal) ? text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..] : text);
    }

    /// <summary>What was answered, without bodies.</summary>
    public static string Summary(string text)
    {
        var answers = new List<string>();
        if (text.StartsWith('\0'))
        {
            return GoAway;
        }

        for (var at = 0; at < text.Length;)
        {
            var end = text.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
            if (end < 0 || !text.AsSpan(at).StartsWith("HTTP/1.1 "))
            {
                return $"{string.Join(", ", answers)} and something else: {text[at..Math.Min(text.Length, at + 60)]}";
            }

            var head = text[at..end];
            answers.Add($"{head.Substring(9, 3)} {Header(head, "SendProxy-Error")}".TrimEnd());
            at = Header(head, "Transfer-Encoding").Length > 0
                ? text.IndexOf("\r\n0\r\n\r\n", end, StringComparison.Ordinal) + 7
                : end + 4 + (int.TryParse(Header(head, "Content-Length"), CultureInfo.InvariantCulture, out var length) ? length : 0);
        }

        return answers.Count == 0 ? Nothing : string.Join(", ", answers);
    }

    private static string Header(string head, string name)
    {
        var at = head.IndexOf($"\r\n{name}: ", StringComparison.OrdinalIgnoreCase);
        return at < 0 ? "" : head[(at + name.Length + 4)..].Split("\r\n")[0];
    }

    private static bool IsAnswered(string text)
    {
        var at = text.StartsWith("HTTP/1.1 100 ", StringComparison.Ordinal) ? text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4 : 0;
        var end = text.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
        return end >= 0 && text.Length >= end + 4 + (int.TryParse(Header(text[at..end], "Content-Length"), CultureInfo.InvariantCulture, out var length) ? length : 0);
    }

    private static async Task<string> ReadAsync(NetworkStream stream, CancellationToken cancellation, Func<string, bool>? isEnough = null)
    {
        var text = new StringBuilder();
        var buffer = new byte[8192];
        try
        {
            while (await stream.ReadAsync(buffer, cancellation).AsTask().WaitAsync(ProxyProcess.Guard, cancellation) is > 0 and var read)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
                if (isEnough?.Invoke(text.ToString()) == true)
                {
                    break;
                }
            }
        }
        catch (IOException)
        {
            // A reset: it closed while bytes were still on their way to it.
        }

        return text.ToString();
    }
}
