using System.Collections.Concurrent;
using System.Globalization;

namespace SendProxy.IntegrationTests.Egress;

/// <summary>A <see cref="WireVendor"/> that counts every request that arrives, and answers each with a text that no HTTP server would write.</summary>
internal sealed class RawVendor : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _heads = [];
    private readonly Func<int, string?> _answer;
    private readonly WireVendor _vendor;

    /// <param name="answer">From the request's number, from 1: what is written back; null closes the connection.</param>
    public RawVendor(Func<int, string?> answer)
    {
        _answer = answer;
        _vendor = new WireVendor(ServeAsync);
    }

    public static string Ok { get; } = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

    public Uri Address => new($"http://127.0.0.1:{_vendor.Address.Port}");

    /// <summary>Heads of all requests so far.</summary>
    public IReadOnlyList<string> Heads => [.. _heads];

    public ValueTask DisposeAsync() => _vendor.DisposeAsync();

    private async Task ServeAsync(WireConnection connection)
    {
        var taken = 0;
        while (true)
        {
            (string Head, int End)? request = null;
            if (!await connection.ReadAsync(text => (request = Request(text[taken..])) is not null))
            {
                return;
            }

            taken += request!.Value.End;
            _heads.Enqueue(request.Value.Head);
            if (_answer(_heads.Count) is not { } answer)
            {
                return;
            }

            await connection.WriteAsync(answer);
        }
    }

    // The head of the first request in the text and where the request ends; null while it is not whole.
    private static (string Head, int End)? Request(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        var at = text.IndexOf("Content-Length: ", 0, end, StringComparison.OrdinalIgnoreCase);
        var length = at < 0 ? 0 : int.Parse(text[(at + 16)..text.IndexOf('\r', at)], CultureInfo.InvariantCulture);
        return text.Length < end + 4 + length ? null : (text[..end], end + 4 + length);
    }
}
