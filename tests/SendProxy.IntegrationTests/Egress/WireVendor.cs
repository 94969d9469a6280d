using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace SendProxy.IntegrationTests.Egress;

/// <summary>A vendor on a bare socket, each of whose steps the test takes: what is read, what is written and when, how it ends.</summary>
internal sealed class WireVendor : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Exception> _failures = [];
    private readonly Func<WireConnection, Task> _serve;
    private readonly SslServerAuthenticationOptions? _tls;
    private readonly Task _accepting;
    private int _connections;

    /// <param name="serve">Serves one connection, which is closed after it.</param>
    /// <param name="certificate">Not null: TLS, with HTTP/2 by ALPN.</param>
    public WireVendor(Func<WireConnection, Task> serve, X509Certificate2? certificate = null)
    {
        _serve = serve;
        _tls = certificate is null ? null : new SslServerAuthenticationOptions
        {
            ServerCertificate = certificate,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
        };
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"{(_tls is null ? "http" : "https")}://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public int Connections => Volatile.Read(ref _connections);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
        Assert.Empty(_failures);
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                client.NoDelay = true;
                Stream stream = client.GetStream();
                if (_tls is not null)
                {
                    var secure = new SslStream(stream);
                    await secure.AuthenticateAsServerAsync(_tls, _stop.Token);
                    stream = secure;
                }

                Interlocked.Increment(ref _connections);
                await _serve(new WireConnection(stream, client.Client, _stop.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                // The proxy or the test ended the connection.
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                _failures.Add(e);
            }
        }
    }
}

/// <summary>One connection of a <see cref="WireVendor"/>.</summary>
internal sealed class WireConnection(Stream stream, Socket socket, CancellationToken stop)
{
    private readonly StringBuilder _all = new();

    public Stream Stream => stream;

    /// <summary>All that was read of it so far, in Latin-1.</summary>
    public string Text => _all.ToString();

    /// <summary>Reads until it is enough.</summary>
    /// <returns>False where the connection ended before.</returns>
    public async Task<bool> ReadAsync(Func<string, bool> enough)
    {
        var buffer = new byte[64 * 1024];
        while (!enough(Text))
        {
            int read;
            try
            {
                read = await stream.ReadAsync(buffer, stop);
            }
            catch (IOException)
            {
                read = 0;
            }

            if (read == 0)
            {
                return false;
            }

            _all.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return true;
    }

    public Task<bool> ReadHeadAsync() => ReadAsync(t => t.Contains("\r\n\r\n", StringComparison.Ordinal));

    /// <summary>Everything up to the connection's end.</summary>
    public async Task<string> ReadToEndAsync()
    {
        await ReadAsync(_ => false);
        return Text;
    }

    public Task WriteAsync(string text) => stream.WriteAsync(Encoding.Latin1.GetBytes(text), stop).AsTask();

    /// <summary>Ends it with RST.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    /// <summary>Waits for something of the test's, but not longer than the vendor lives.</summary>
    public Task WaitAsync(Task gate) => gate.WaitAsync(stop);
}
