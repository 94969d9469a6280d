using SendProxy.Hosting;
using SendProxy.Overload;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy.Composition;

/// <summary>Runs the built host to its end.</summary>
internal static partial class Serving
{
    /// <returns>One of <see cref="ExitCodes"/>: 0 only where a signal asked for the end.</returns>
    public static async Task<int> RunAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (e is JournalUnavailableException or SealKeyUnavailableException)
        {
            await EndAsync(app);
            Log.NoJournal(app.Logger, e.Message);
            await Console.Error.WriteLineAsync($"sendproxy: {e.Message}");
            return ExitCodes.CannotStart;
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            await EndAsync(app);
            Log.CannotListen(app.Logger, e.Message);
            await Console.Error.WriteLineAsync($"sendproxy: {e.Message} Change listen, or end what uses the address.");
            return ExitCodes.CannotStart;
        }

        if (app.Services.GetRequiredService<CoreDumps>() is { Problem: { } refused })
        {
            Log.MayDump(app.Logger, refused);
        }

        TellMemory(app);
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
        if (!app.Services.GetRequiredService<DrainingLifetime>().Stopping)
        {
            return Unexpected(app);
        }

        Log.Stopped(app.Logger, app.Services.GetRequiredService<DrainingLifetime>().Forced.IsCancellationRequested ? "at once, as the second signal asked" : "in order");
        return 0;
    }

    // What had started ends in order before its services are disposed under it, and before the reason is told, which is the last line.
    private static async Task EndAsync(WebApplication app)
    {
        try
        {
            await app.StopAsync();
        }
#pragma warning disable CA1031 // The reason for which it did not start is what is to be told.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.StopFailed(app.Logger, e);
        }
    }

    // A background service that throws ends the host, and the host then ends as if it had been asked to.
    private static int Unexpected(WebApplication app)
    {
        var failed = app.Services.GetServices<IHostedService>().OfType<BackgroundService>().FirstOrDefault(s => s.ExecuteTask?.IsFaulted == true);
        Log.Unexpected(app.Logger, failed?.GetType().Name ?? "an unknown cause", failed?.ExecuteTask?.Exception);
        return ExitCodes.Defect;
    }

    private static void TellMemory(WebApplication app)
    {
        var (settings, memory) = (app.Services.GetRequiredService<ProxySettings>(), app.Services.GetRequiredService<MemoryLimit>());
        Log.Memory(app.Logger, memory.Bytes >> 20, memory.IsContainer ? "container" : "machine", app.Services.GetRequiredService<MemoryBudget>().Bytes >> 20);
        foreach (var warning in MemoryChecks.Warnings(settings, memory))
        {
            Log.TooMuchMemory(app.Logger, warning);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(121, LogLevel.Information, "The memory limit of the {Source} is {LimitMiB} MiB; requests may hold {BudgetMiB} MiB of it (process.maxBufferedBytes)")]
        public static partial void Memory(ILogger logger, long limitMiB, string source, long budgetMiB);

        [LoggerMessage(122, LogLevel.Warning, "A setting does not fit the memory limit: {Warning}")]
        public static partial void TooMuchMemory(ILogger logger, string warning);

        [LoggerMessage(102, LogLevel.Information, "Listening on {Address} for {Listener}")]
        public static partial void Listening(ILogger logger, string address, string listener);

        [LoggerMessage(106, LogLevel.Warning, "A crash may leave a core file with keys in it: {Problem}")]
        public static partial void MayDump(ILogger logger, string problem);

        [LoggerMessage(105, LogLevel.Warning, "Commands cannot ask this process: the admin socket {Path} {Problem}")]
        public static partial void NoAdmin(ILogger logger, string path, string problem);

        [LoggerMessage(107, LogLevel.Critical, "Ended though nothing asked for it: {Service} failed. This is a defect, please report it")]
        public static partial void Unexpected(ILogger logger, string service, Exception? defect);

        [LoggerMessage(104, LogLevel.Critical, "Cannot open the journal: {Reason}")]
        public static partial void NoJournal(ILogger logger, string reason);

        [LoggerMessage(108, LogLevel.Information, "Stopped {How}")]
        public static partial void Stopped(ILogger logger, string how);

        [LoggerMessage(109, LogLevel.Debug, "What had started did not end in order")]
        public static partial void StopFailed(ILogger logger, Exception failure);

        [LoggerMessage(103, LogLevel.Critical, "Cannot listen: {Reason}")]
        public static partial void CannotListen(ILogger logger, string reason);
    }
}
