using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SendProxy.Compare;

/// <summary>Asks until there is an answer, with bare sockets: what is timed is the other side's start.</summary>
internal static class Probe
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(0.5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <returns>How long it took from <paramref name="since"/>, a timestamp, until a 2xx came.</returns>
    public static async Task<TimeSpan> AnsweredAsync(string url, long? since = null)
    {
        var start = since ?? TimeProvider.System.GetTimestamp();
        while (!await AnswersAsync(new Uri(url)))
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience)
            {
                throw new TimeoutException($"no 2xx from {url} within {Patience.TotalSeconds} s");
            }

            await Task.Delay(Look, TimeProvider.System);
        }

        return TimeProvider.System.GetElapsedTime(start);
    }

    public static bool Listens(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<bool> AnswersAsync(Uri url)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, url.Port);
            await socket.SendAsync(Encoding.ASCII.GetBytes(
                $"POST {url.AbsolutePath} HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 22\r\n\r\n{{\"to\":\"+491701234567\"}}"));
            var head = new byte[64];
            return await socket.ReceiveAsync(head) > 9 && head[9] == '2';
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
