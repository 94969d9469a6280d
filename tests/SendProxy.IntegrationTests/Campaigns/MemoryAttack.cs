using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>What an attacker does on each of its connections, again and again, until it is stopped.</summary>
/// <param name="Connections">How many at once.</param>
internal sealed record MemoryAttack(string Name, int Connections, Func<NetworkStream, CancellationToken, Task> Act)
{
    private static readonly TimeSpan ComesAgainAfter = TimeSpan.FromSeconds(1);

    /// <summary>The address that it comes from; one of the loopback's.</summary>
    public IPAddress From { get; init; } = IPAddress.Loopback;

    private const int Megabyte = 1_000_000;

    /// <summary>Webhooks without a signature that would fit, of a megabyte each, that stop before their last bytes.</summary>
    public static MemoryAttack Bodies(int connections, string target) => new(
        "unfinished bodies of 1 MB", connections, async (stream, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Head(target, Megabyte)), stop);
            await stream.WriteAsync(new byte[Megabyte - 1000], stop);
            await WaitForEndAsync(stream, stop);
        });

    /// <summary>A head of 30 KB that does not end.</summary>
    public static MemoryAttack Heads(int connections, string target) => new(
        "unfinished heads of 30 KB", connections, async (stream, stop) =>
        {
            var head = new StringBuilder($"POST {target} HTTP/1.1\r\nHost: localhost\r\n");
            for (var i = 0; i < 30; i++)
            {
                head.Append(CultureInfo.InvariantCulture, $"X-{i}: {new string('a', 990)}\r\n");
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes(head.ToString()), stop);
            await WaitForEndAsync(stream, stop);
        });

    /// <summary>A body that comes at one byte a second.</summary>
    public static MemoryAttack Trickle(int connections, string target) => new(
        "bodies at 1 byte a second", connections, async (stream, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Head(target, Megabyte)), stop);
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), TimeProvider.System);
            while (await timer.WaitForNextTickAsync(stop))
            {
                await stream.WriteAsync("x"u8.ToArray(), stop);
            }
        });

    /// <summary>Asks for a large answer and takes nothing of it.</summary>
    public static MemoryAttack SlowReaders(int connections, string target) => new(
        "readers that take nothing", connections, async (stream, stop) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"), stop);
            while (!stop.IsCancellationRequested && !stream.Socket.Poll(0, SelectMode.SelectError))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, stop);
            }
        });

    /// <returns>How many connections were made.</returns>
    public async Task<long> RunAsync(Uri listener, CancellationToken stop)
    {
        var made = 0L;
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                    socket.Bind(new IPEndPoint(From, 0));
                    await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, listener.Port), stop);
                    Interlocked.Increment(ref made);
                    await using var stream = new NetworkStream(socket);
                    await Act(stream, stop);
                }
                catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
                {
                    // Closed, or stopped.
                }

                if (!stop.IsCancellationRequested)
                {
                    await Task.Delay(ComesAgainAfter, TimeProvider.System, CancellationToken.None);
                }
            }
        }));
        return made;
    }

    private static string Head(string target, int length) => string.Create(CultureInfo.InvariantCulture,
        $"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nwebhook-id: x\r\nwebhook-timestamp: {TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}\r\nwebhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=\r\n\r\n");

    private static async Task WaitForEndAsync(NetworkStream stream, CancellationToken stop)
    {
        var buffer = new byte[1024];
        while (await stream.ReadAsync(buffer, stop) > 0)
        {
            // An answer, then the end.
        }
    }
}
