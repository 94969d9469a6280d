namespace SendProxy.Hosting;

/// <summary>Runs the built host to its end.</summary>
internal static partial class Serving
{
    private const int CannotListen = 1;

    /// <returns>0 after an orderly end, 1 when an address to listen on cannot be had.</returns>
    public static async Task<int> RunAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
        }
        catch (IOException e)
        {
            Log.CannotListen(app.Logger, e.Message);
            await Console.Error.WriteLineAsync($"sendproxy: {e.Message} Change listen, or end what uses the address.");
            return CannotListen;
        }

        Log.Listening(app.Logger, string.Join(' ', app.Urls));
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static partial class Log
    {
        [LoggerMessage(102, LogLevel.Information, "Listening on {Addresses}")]
        public static partial void Listening(ILogger logger, string addresses);

        [LoggerMessage(103, LogLevel.Critical, "Cannot listen: {Reason}")]
        public static partial void CannotListen(ILogger logger, string reason);
    }
}
