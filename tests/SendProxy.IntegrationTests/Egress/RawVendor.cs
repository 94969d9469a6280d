using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SendProxy.IntegrationTests.Egress;

/// <summary>A vendor on a bare socket: counts every request head that arrives, and does with it what no HTTP server would.</summary>
internal sealed class RawVendor : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _heads = [];
    private readonly Func<int, string?> _answer;
    private readonly Task _accepting;

    /// <param name="answer">From the request's number, from 1: what is written back; null closes the connection. A text that ends in "close" closes after it.</param>
    public RawVendor(Func<int, string?> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public static string Ok { get; } = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Heads of all requests so far.</summary>
    public IReadOnlyList<string> Heads => [.. _heads];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            var text = new StringBuilder();
            var buffer = new byte[4096];
            try
            {
                while (await stream.ReadAsync(buffer, _stop.Token) is > 0 and var read)
                {
                    text.Append(Encoding.Latin1.GetString(buffer, 0, read));
                    while (TakeRequest(text) is { } head)
                    {
                        _heads.Enqueue(head);
                        if (_answer(_heads.Count) is not { } answer)
                        {
                            return;
                        }

                        await stream.WriteAsync(Encoding.Latin1.GetBytes(answer), _stop.Token);
                    }
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                // The proxy or the test ended the connection.
            }
        }
    }

    private static string? TakeRequest(StringBuilder text)
    {
        var all = text.ToString();
        var end = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        var at = all.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
        var length = at < 0 || at > end ? 0 : int.Parse(all[(at + 16)..all.IndexOf('\r', at)], System.Globalization.CultureInfo.InvariantCulture);
        if (all.Length < end + 4 + length)
        {
            return null;
        }

        text.Remove(0, end + 4 + length);
        return all[..end];
    }
}
