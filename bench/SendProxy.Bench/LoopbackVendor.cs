using System.Net;
using System.Net.Sockets;

namespace SendProxy.Bench;

/// <summary>Answers on loopback with bytes made beforehand, and allocates nothing for it: what is measured is the client.</summary>
internal sealed class LoopbackVendor : IDisposable
{
    private static readonly byte[] Accepted = Answer("202 Accepted");
    private static readonly byte[] Failed = Answer("503 Service Unavailable");

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private int _failures;

    public LoopbackVendor()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>The next request is answered with 503.</summary>
    public void FailNext() => Interlocked.Increment(ref _failures);

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private static byte[] Answer(string status) =>
        [.. System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: 37\r\n\r\n"), .. "{\"id\":\"msg_0123456789\",\"status\":\"ok\"}"u8];

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync(_stop.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            socket.NoDelay = true;
            var buffer = new byte[16 * 1024];
            var filled = 0;
            try
            {
                while (await socket.ReceiveAsync(buffer.AsMemory(filled), SocketFlags.None, _stop.Token) is > 0 and var read)
                {
                    // A request ends with its JSON; no head has a brace.
                    filled += read;
                    if (buffer[filled - 1] == '}')
                    {
                        filled = 0;
                        var fails = Volatile.Read(ref _failures) > 0 && Interlocked.Decrement(ref _failures) >= 0;
                        await socket.SendAsync(fails ? Failed : Accepted, SocketFlags.None, _stop.Token);
                    }
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // The end.
            }
        }
    }
}
