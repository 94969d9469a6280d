using System.Net.Sockets;

namespace SendProxy.Hosting;

/// <summary>Binds the unix sockets that requests come in by.</summary>
internal static class UnixSocket
{
    private const uint OwnerOnly = 0x7F; // 0177

    /// <summary>Binds it so that at no moment somebody may write whom <paramref name="mode"/> does not let.</summary>
    /// <exception cref="IOException">It cannot be had; says why.</exception>
    public static Socket Bind(string path, UnixFileMode mode)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
        {
            throw new IOException($"The directory {folder} of unix:{path} does not exist.");
        }

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var mask = Native.SetMask(OwnerOnly);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, mode);
            }

            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"unix:{path} cannot be bound ({e.SocketErrorCode}).", e);
        }
        finally
        {
            _ = Native.SetMask(mask);
        }
    }
}
