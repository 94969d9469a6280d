using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using SendProxy.Hosting;
using SendProxy.Queueing.Sqlite;
using SendProxy.Secrets;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;
using SendProxy.Upstreams.Connections;
using ListenOptions = SendProxy.Hosting.ListenOptions;

namespace SendProxy;

/// <summary>What was found by looking where the configuration points: at secrets, certificates, the journal, addresses.</summary>
/// <param name="Setting">Dotted, as in <c>journal.sealKeys[0].file</c>.</param>
/// <param name="Message">What is wrong and what to do.</param>
/// <param name="StopsStart">Serving would refuse to start; else something of it would not work.</param>
internal readonly record struct StartFinding(string Setting, string Message, bool StopsStart);

/// <summary>
/// Looks at everything that would stop the start or cripple what was started, as this user on this machine, and changes nothing: for
/// <c>sendproxy check</c>. Serving itself looks when it comes to each.
/// </summary>
internal static class StartChecks
{
    /// <param name="isRunning">A proxy runs on this configuration now: the journal and the addresses are its own.</param>
    public static IEnumerable<StartFinding> Of(ProxySettings settings, bool isRunning) =>
    [
        .. Secrets(settings), .. Certificates(settings), .. SealKeyFiles(settings), .. settings is { NeedsJournal: true, Journal.Kind: Queueing.JournalKind.Sqlite } ? Journal(settings, isRunning) : [],
        .. isRunning ? [] : Addresses(settings),
    ];

    private static IEnumerable<StartFinding> Secrets(ProxySettings settings)
    {
        foreach (var (name, source, format) in settings.Secrets())
        {
            foreach (var reading in source.Read())
            {
                var state = reading.Text is null ? reading.State : format.Judge(reading.Text);
                var difference = state is SecretState.Ok or SecretState.Malformed && reading.Text is { } text ? format.Difference(text) : null;
                if (state != SecretState.Ok)
                {
                    yield return new(name, $"{source.Place}{Slot(reading.Slot)} is {SecretMetrics.Told(state)}: {difference ?? SecretPoller.Advice(state)}", false);
                }
                else if (difference is not null)
                {
                    yield return new(name, $"{source.Place}{Slot(reading.Slot)}: {difference}; it is used all the same, since the pattern is the preset's", false);
                }
            }

            foreach (var exposure in source.Exposures())
            {
                yield return new(name, exposure, false);
            }
        }
    }

    private static string Slot(SecretSlot slot) => slot == SecretSlot.Current ? "" : $", its file {slot.ToString().ToLowerInvariant()},";

    private static IEnumerable<StartFinding> Certificates(ProxySettings settings) =>
        from upstream in settings.Upstreams
        let files = new TlsFiles(upstream.Key, upstream.Value.Options.Tls)
        where files.HasAny
        let problem = files.Look()
        where problem is { Length: > 0 }
        select new StartFinding($"upstreams.{upstream.Key}.tls", $"{problem}; each of its sends would fail", false);

    private static IEnumerable<StartFinding> SealKeyFiles(ProxySettings settings)
    {
        var isNeeded = settings.NeedsJournal || settings.KeepsKeysInRedis;
        for (var i = 0; i < settings.Journal.SealKeys.Count; i++)
        {
            if (Problem(settings.Journal.SealKeys[i]) is { } problem)
            {
                yield return new($"journal.sealKeys[{i}].file", problem, isNeeded);
            }
        }

        var beside = settings.Journal.Path + ".key";
        if (settings.NeedsJournal && settings.Journal.SealKeys.Count == 0 && Path.Exists(beside) && Problem(beside) is { } broken)
        {
            yield return new("journal.path", broken, true);
        }

        static string? Problem(string path)
        {
            try
            {
                using var key = SealKeyFile.Read(path);
                return null;
            }
            catch (SealKeyUnavailableException e)
            {
                return e.Message;
            }
        }
    }

    private static IEnumerable<StartFinding> Journal(ProxySettings settings, bool isRunning)
    {
        var (journal, path) = (settings.Journal, Path.GetFullPath(settings.Journal.Path));
        if (SqliteLibrary.Problem() is { } missing)
        {
            yield return new("journal.path", $"the journal {missing}", true);
            yield break;
        }

        if (Directory.Exists(path))
        {
            yield return new("journal.path", $"{path} is a directory; name the file in it, which need not be there yet: {Path.Combine(path, "sendproxy.db")}", true);
            yield break;
        }

        if (Refused(() => SqliteJournal.IsOnEphemeral(journal.ToSqlite())) is { } forgets)
        {
            yield return new("journal.path", forgets, true);
        }
        else if (journal.Unkept(SqliteJournal.IsOnEphemeral(journal.ToSqlite()) ? Queueing.Durability.Memory : Queueing.Durability.Fsync) is { } less)
        {
            yield return new("journal.minimum", less, true);
        }

        var there = File.Exists(path) ? path : SqliteJournal.ExistingParent(path);
        if (there != path && Path.GetRelativePath(there, path).Split('/')[0] is var next && File.Exists(Path.Combine(there, next)))
        {
            yield return new("journal.path", $"{Path.Combine(there, next)} is a file, and the journal's directory cannot be made in it", true);
        }
        else if (!Native.MayWrite(there))
        {
            yield return new("journal.path", $"{there} cannot be written by this user; check its owner and mode", true);
        }

        if (isRunning)
        {
            yield break;
        }

        if (Refused(() => JournalLoss.RefuseBeforeOpening(path, JournalGeneration.Read(path))) is { } lost)
        {
            yield return new("journal.path", lost, true);
        }
        else if (KeysThatOpenNothing(journal, path) is { } nothing)
        {
            yield return new(journal.SealKeys.Count > 0 ? "journal.sealKeys" : "journal.path", nothing, true);
        }
    }

    private static string? KeysThatOpenNothing(Queueing.JournalOptions journal, string path)
    {
        if (JournalPeek.SealKeys(path) is not { Count: > 0 } needed)
        {
            return null;
        }

        try
        {
            using var keys = journal.SealKeys.Count > 0 ? SealKeys.Load(journal.SealKeys) : SealKeys.LoadExisting(path + ".key");
            Queueing.Sealed.SealKeyNeeds.RefuseIfNothingOpens(keys, needed, path);
            return null;
        }
        catch (SealKeyUnavailableException e) when (journal.SealKeys.Count == 0 || e.Message.Contains("opens none", StringComparison.Ordinal))
        {
            return e.Message;
        }
        catch (SealKeyUnavailableException)
        {
            // Told of its file already.
            return null;
        }
    }

    private static string? Refused(Action look)
    {
        try
        {
            look();
            return null;
        }
        catch (JournalUnavailableException e)
        {
            return e.Message;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"what stands beside it cannot be read ({e.GetType().Name}); check the owner and mode of the directory and its files";
        }
    }

    private static IEnumerable<StartFinding> Addresses(ProxySettings settings)
    {
        foreach (var (name, addresses) in Served(settings.Listen, settings.Roles))
        {
            foreach (var address in addresses)
            {
                if (address.UnixPath is { } path)
                {
                    if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
                    {
                        yield return new($"listen.{name}", $"the directory {folder} of {address} does not exist; make it", true);
                    }
                }
                else if (Ipv6Fallback.For(address.Tcp!) is { } endpoint && Unbindable(endpoint) is var (problem, stops))
                {
                    yield return new($"listen.{name}", $"{address} {problem}", stops);
                }
            }
        }
    }

    private static IEnumerable<(string Name, IReadOnlyList<ListenAddress> Addresses)> Served(ListenOptions listen, Roles roles)
    {
        yield return ("egress", roles.HasFlag(Roles.Egress) ? listen.Egress : []);
        yield return ("webhooks", roles.HasFlag(Roles.Webhooks) ? listen.Webhooks : []);
        yield return ("metrics", listen.Metrics);
    }

    // Bound as the server does it, and given back at once: without listen(2) nobody can connect to it.
    private static (string Problem, bool StopsStart)? Unbindable(System.Net.IPEndPoint endpoint)
    {
        try
        {
            using var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            return null;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode switch
            {
                // Perhaps by the proxy that this one is to follow: that is the operator's to know.
                SocketError.AddressAlreadyInUse => ("is in use: end what uses it before this proxy starts, or change the address", false),
                SocketError.AddressNotAvailable => ("is no address of this machine; write 127.0.0.1, [::1] or an address that it has", true),
                SocketError.AccessDenied => ("may not be listened on by this user; take a port from 1024 on", true),
                var other => ($"cannot be listened on ({other})", true),
            };
        }
    }
}
