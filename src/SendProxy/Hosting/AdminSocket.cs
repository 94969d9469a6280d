using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Hosting;

/// <summary>
/// The unix socket that commands talk to. Where it stands follows from the configuration alone, so that a command finds the
/// proxy that runs on the same file.
/// </summary>
/// <param name="Bound">Bound and closed to other users; null where it cannot be had: then the proxy serves without.</param>
/// <param name="Problem">Why there is none; null where there is one.</param>
internal sealed record AdminSocket(string Path, Socket? Bound, string? Problem)
{
    /// <summary>What commands ask for keys.</summary>
    /// <summary>The limits as this process sees them.</summary>
    public const string LimitsPath = "/v1/limits";

    /// <summary>Ends the block of the limit that the query's <c>limit</c> names.</summary>
    public const string UnblockPath = "/v1/limits/unblock";

    public const string CredentialsPath = "/v1/credentials";

    /// <summary>Which seal keys the journal still needs.</summary>
    public const string JournalKeysPath = "/v1/journal/keys";

    /// <summary>Stored webhook items; one of them stands at this path, a slash and its id.</summary>
    public const string WebhooksPath = "/v1/webhooks";

    public const string WebhooksReplayPath = "/v1/webhooks/replay";

    public const string WebhooksDiscardPath = "/v1/webhooks/discard";

    /// <summary>Messages of the outbox; one of them stands at this path, a slash and its id.</summary>
    public const string OutboxPath = "/v1/outbox";

    public const string OutboxReplayPath = "/v1/outbox/replay";

    public const string OutboxDiscardPath = "/v1/outbox/discard";

    /// <summary>Stops the messages of the route that the query's <c>route</c> names.</summary>
    public const string OutboxPausePath = "/v1/outbox/pause";

    public const string OutboxResumePath = "/v1/outbox/resume";

    /// <summary>Gives the message of the query's <c>id</c> the body of the request, and another idempotency key.</summary>
    public const string OutboxEditPath = "/v1/outbox/edit";

    // sun_path of struct sockaddr_un, without its last zero.
    private const int PathBytesMax = 107;
    private const uint OwnerOnly = 0x7F; // 0177

    /// <returns>Where it may be: the first is where a proxy started now puts it.</returns>
    /// <param name="written"><c>listen.adminSocket</c>, or null.</param>
    /// <param name="journal">The journal's file; null where there is none.</param>
    public static IReadOnlyList<string> Places(string? written, string? journal, string configuration)
    {
        if (written is not null)
        {
            return [written];
        }

        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(System.IO.Path.GetFullPath(configuration))).AsSpan(0, 6));
        var runtime = System.IO.Path.Combine(RuntimeFolder(), $"{name}.sock");
        return journal is null ? [runtime] : [journal + ".admin.sock", runtime];
    }

    /// <summary>Binds the first of the places.</summary>
    public static AdminSocket Open(IReadOnlyList<string> places)
    {
        var path = places[0];
        var folder = System.IO.Path.GetDirectoryName(path)!;
        try
        {
            if (Encoding.UTF8.GetByteCount(path) > PathBytesMax)
            {
                return new(path, null, $"is longer than {PathBytesMax} bytes; set listen.adminSocket");
            }

            var own = folder == RuntimeFolder();
            if (own && !OperatingSystem.IsWindows())
            {
                // In a folder that everybody may write, somebody could have made this one first, or a link in its place.
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
            else
            {
                Directory.CreateDirectory(folder);
            }

            return own && !Native.IsOwnClosedFolder(folder)
                ? new(path, null, $"stands in {folder}, which is not a directory of this user alone; remove it, or set listen.adminSocket")
                : !StaleSocket.Remove(path) ? new(path, null, "is used by a running process, or is no socket")
                : new(path, Bind(path), null);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            return new(path, null, $"cannot be made ({e.Message}); set listen.adminSocket");
        }
    }

    private static Socket Bind(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var mask = Native.SetMask(OwnerOnly);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        finally
        {
            _ = Native.SetMask(mask);
        }
    }

    /// <returns>Whether a proxy listens at one of the places.</returns>
    public static bool IsAnswered(IReadOnlyList<string> places) => places.Any(place =>
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(place));
            return true;
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return false;
        }
    });

    private static string RuntimeFolder()
    {
        var folder = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        return System.IO.Path.Combine(System.IO.Path.IsPathRooted(folder) ? folder : "/tmp", $"sendproxy-{Native.UserId()}");
    }
}

/// <summary>A socket file that a killed process left would refuse the next start. One that answers belongs to somebody.</summary>
internal static class StaleSocket
{
    /// <returns>False where a process listens on it.</returns>
    public static bool Remove(string path)
    {
        if (!File.Exists(path))
        {
            return true;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return false;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && Native.IsSocket(path))
        {
            // Nobody listens. A file that is no socket stays: a slip in the configuration must not delete it.
            File.Delete(path);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
