using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Queueing.Redis;

/// <summary>
/// This process' name among those on the journal: PLACE.RANDOM. The place is the machine's start and the network namespace, which
/// the containers of one pod share. A process holds a socket of its name, which the kernel takes away with it: so another one of the
/// same place, as after a restart, knows at once that it is dead. One of another place is known by its pulse.
/// </summary>
internal sealed class InstancePlace : IDisposable
{
    private readonly string _place;
    private readonly Socket? _held;

    /// <param name="place">Another than this machine's; null: this one's.</param>
    public InstancePlace(string? place = null)
    {
        _place = place ?? Place();
        Name = $"{_place}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        _held = _place.Length == 0 ? null : TryBind(Name);
    }

    public string Name { get; }

    /// <summary>Whether the process of this name ended: false also where this cannot be known.</summary>
    public bool IsDead(string name)
    {
        if (_place.Length == 0 || name == Name || !name.StartsWith(_place + ".", StringComparison.Ordinal))
        {
            return false;
        }

        using var its = TryBind(name);
        return its is not null;
    }

    public void Dispose() => _held?.Dispose();

    private static Socket? TryBind(string name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // The zero at the start: no file, but a name of the network namespace.
            socket.Bind(new UnixDomainSocketEndPoint($"\0sendproxy.{name}"));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    private static string Place()
    {
        try
        {
            var network = File.ResolveLinkTarget("/proc/self/ns/net", returnFinalTarget: false)?.Name;
            return network is null ? ""
                : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(File.ReadAllText("/proc/sys/kernel/random/boot_id") + network)).AsSpan(0, 8));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
