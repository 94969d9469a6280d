using System.CommandLine;
using System.Reflection;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary>The command line. Without a command it serves.</summary>
internal static class Commands
{
    public const string DefaultConfig = "config/proxy.yaml";

    /// <param name="serve">Runs the proxy on a configuration file; yields the exit code.</param>
    /// <returns>The exit code; that of a defect where a command throws, which is told in one line.</returns>
    public static async Task<int> RunAsync(string[] args, Func<string, Task<int>> serve)
    {
        var config = new Option<string>("--config", "-c")
        {
            Description = "The configuration file.",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("SENDPROXY_CONFIG") ?? DefaultConfig,
            Recursive = true,
        };
        var root = new RootCommand("SendProxy: an egress proxy that holds the key, keeps the limits and sends nothing twice.") { config };
        var serving = new Command("serve", "Run the proxy (default).");
        root.SetAction(result => serve(result.GetValue(config)!));
        serving.SetAction(result => serve(result.GetValue(config)!));
        root.Add(serving);
        root.Add(CheckCommand.Create(config));
        root.Add(CredentialsCommand.Create(config));
        root.Add(LimitsCommand.Create(config));
        root.Add(JournalCommand.Create(config));
        root.Add(WebhooksCommand.Create(config));
        root.Add(OutboxCommand.Create(config));
        root.Add(OutboxFind.Create(config));
        root.Add(VersionCommand());

        try
        {
            // Signals are the host's: the parser's own handler would end a draining proxy after two seconds with 143.
            return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
        }
#pragma warning disable CA1031 // The outermost place: the parser's own handler would print a stack trace.
        catch (Exception e)
#pragma warning restore CA1031
        {
            await Console.Error.WriteLineAsync($"sendproxy: ended by a defect, please report it: {e.GetType().Name}: {e.Message}");
            return ExitCodes.Defect;
        }
    }

    private static Command VersionCommand()
    {
        var version = new Command("version", "Print the version.");
        version.SetAction(result =>
        {
            var text = typeof(Commands).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
            result.InvocationConfiguration.Output.WriteLine($"sendproxy {text}");
            return 0;
        });
        return version;
    }
}
