using SendProxy.Hosting;
using SendProxy.Queueing;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy;

/// <summary>Runs the built host to its end.</summary>
internal static partial class Serving
{
    private const int CannotStart = 1;

    /// <returns>0 after an orderly end, 1 when the journal or an address to listen on cannot be had.</returns>
    public static async Task<int> RunAsync(WebApplication app)
    {
        try
        {
            // Before anything listens: what cannot be stored must not be accepted.
            await app.Services.GetRequiredService<JournalHost>().OpenAsync(CancellationToken.None);
            await app.Services.GetRequiredService<IdempotencyStoreHost>().OpenAsync(CancellationToken.None);
            await app.StartAsync();
        }
        catch (Exception e) when (e is JournalUnavailableException or SealKeyUnavailableException)
        {
            Log.NoJournal(app.Logger, e.Message);
            await Console.Error.WriteLineAsync($"sendproxy: {e.Message}");
            return CannotStart;
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            Log.CannotListen(app.Logger, e.Message);
            await Console.Error.WriteLineAsync($"sendproxy: {e.Message} Change listen, or end what uses the address.");
            return CannotStart;
        }

        if (app.Services.GetRequiredService<CoreDumps>() is { Problem: { } refused })
        {
            Log.MayDump(app.Logger, refused);
        }

        if (app.Services.GetRequiredService<AdminSocket>() is { Problem: { } problem } admin)
        {
            Log.NoAdmin(app.Logger, admin.Path, problem);
        }

        foreach (var (kind, address) in app.Services.GetRequiredService<BoundListeners>().All)
        {
            Log.Listening(app.Logger, address, kind.ToString().ToLowerInvariant());
        }

#if DEBUG
        using var defect = PlantedDefect.OnSignal(app.Services);
#endif
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static partial class Log
    {
        [LoggerMessage(102, LogLevel.Information, "Listening on {Address} for {Listener}")]
        public static partial void Listening(ILogger logger, string address, string listener);

        [LoggerMessage(106, LogLevel.Warning, "A crash may leave a core file with keys in it: {Problem}")]
        public static partial void MayDump(ILogger logger, string problem);

        [LoggerMessage(105, LogLevel.Warning, "Commands cannot ask this process: the admin socket {Path} {Problem}")]
        public static partial void NoAdmin(ILogger logger, string path, string problem);

        [LoggerMessage(104, LogLevel.Critical, "Cannot open the journal: {Reason}")]
        public static partial void NoJournal(ILogger logger, string reason);

        [LoggerMessage(103, LogLevel.Critical, "Cannot listen: {Reason}")]
        public static partial void CannotListen(ILogger logger, string reason);
    }
}
