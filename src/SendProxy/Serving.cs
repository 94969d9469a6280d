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
            await app.Services.GetRequiredService<JournalKeeper>().OpenAsync(CancellationToken.None);
            await app.Services.GetRequiredService<KeyKeeper>().OpenAsync(CancellationToken.None);
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

        foreach (var (kind, address) in app.Services.GetRequiredService<BoundListeners>().All)
        {
            Log.Listening(app.Logger, address, kind.ToString().ToLowerInvariant());
        }

        await app.WaitForShutdownAsync();
        return 0;
    }

    private static partial class Log
    {
        [LoggerMessage(102, LogLevel.Information, "Listening on {Address} for {Listener}")]
        public static partial void Listening(ILogger logger, string address, string listener);

        [LoggerMessage(104, LogLevel.Critical, "Cannot open the journal: {Reason}")]
        public static partial void NoJournal(ILogger logger, string reason);

        [LoggerMessage(103, LogLevel.Critical, "Cannot listen: {Reason}")]
        public static partial void CannotListen(ILogger logger, string reason);
    }
}
