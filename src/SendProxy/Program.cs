using SendProxy;
using SendProxy.Cli;
using SendProxy.Composition;
using SendProxy.Configuration;
using SendProxy.Hosting;

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

    await using var app = ProxyHost.Build(path, settings, Console.OpenStandardOutput());
    return await Serving.RunAsync(app);
}
