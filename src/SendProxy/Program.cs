using SendProxy;
using SendProxy.Cli;
using SendProxy.Configuration;
using SendProxy.Hosting;
using SendProxy.Telemetry;

return await Commands.RunAsync(args, ServeAsync);

static async Task<int> ServeAsync(string path)
{
    ProxySettings settings;
    try
    {
        settings = ProxySettings.Load(path, Environment.GetEnvironmentVariable);
    }
    catch (SettingsException e)
    {
        await Console.Error.WriteLineAsync(e.Message);
        return ExitCodes.BadConfiguration;
    }

    await using var app = ProxyHost.Build(path, settings, new RawOutput(RawOutput.StandardOutput));
    return await Serving.RunAsync(app);
}
