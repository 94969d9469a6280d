using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SendProxy.Compare;

/// <summary>A redis-server of this run.</summary>
internal sealed class Redis : IDisposable
{
    private Redis(Child process, int port)
    {
        (Process, Port) = (process, port);
    }

    public Child Process { get; }

    public int Port { get; }

    /// <param name="fsync">always or everysec: an append-only file; none: memory alone.</param>
    public static async Task<Redis> StartAsync(Workshop shop, string name, string fsync)
    {
        var port = Workshop.FreePort();
        var directory = Directory.CreateDirectory(Path.Combine(shop.Data, name)).FullName;
        var durable = fsync == "none" ? "no" : "yes";
        var process = shop.Start(name, "redis-server", "--port", $"{port}", "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--daemonize", "no",
            "--appendonly", durable, "--appendfsync", fsync == "none" ? "no" : fsync);
        await Workshop.UntilAsync(() => Ask(port, "PING") is not null, $"redis-server on {port}");
        return new Redis(process, port);
    }

    /// <returns>Calls of each command so far, those that scripts make included.</returns>
    public RedisCounts Counts()
    {
        var calls = Info("commandstats").Where(l => l.StartsWith("cmdstat_", StringComparison.Ordinal)).ToDictionary(
            l => l["cmdstat_".Length..l.IndexOf(':', StringComparison.Ordinal)],
            l => long.Parse(l.Split("calls=")[1].Split(',')[0], CultureInfo.InvariantCulture), StringComparer.Ordinal);
        var scripts = calls.Where(c => c.Key is "evalsha" or "eval" or "fcall" or "evalsha_ro" or "fcall_ro").Sum(c => c.Value);
        var reads = Info("stats").FirstOrDefault(l => l.StartsWith("total_reads_processed:", StringComparison.Ordinal))?.Split(':')[1];
        return new(scripts, calls.Where(c => c.Key is not ("info" or "ping" or "client|setinfo")).Sum(c => c.Value), long.Parse(reads ?? "0", CultureInfo.InvariantCulture));
    }

    public void Dispose() => Process.Dispose();

    private string[] Info(string section) => (Ask(Port, $"INFO {section}") ?? "").Split("\r\n");

    private static string? Ask(int port, string command)
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, port);
            using var stream = client.GetStream();
            stream.Write(Encoding.ASCII.GetBytes(command + "\r\n"));
            using var reader = new StreamReader(stream);
            var first = reader.ReadLine();
            if (first is not ['$', .. var length])
            {
                return first;
            }

            var text = new char[int.Parse(length, CultureInfo.InvariantCulture)];
            return new string(text, 0, reader.ReadBlock(text));
        }
        catch (SocketException)
        {
            return null;
        }
    }
}

/// <summary>What Redis was asked so far.</summary>
/// <param name="Scripts">Calls of Lua scripts.</param>
/// <param name="Commands">All commands, those inside scripts too.</param>
/// <param name="Reads">Times something was read from a client: round trips, whatever a pipeline holds.</param>
internal readonly record struct RedisCounts(long Scripts, long Commands, long Reads)
{
    public static RedisCounts operator -(RedisCounts later, RedisCounts earlier) =>
        new(later.Scripts - earlier.Scripts, later.Commands - earlier.Commands, later.Reads - earlier.Reads);
}
