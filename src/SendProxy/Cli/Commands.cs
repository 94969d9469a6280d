using System.CommandLine;
using System.Reflection;

namespace SendProxy.Cli;

/// <summary>The command line. Without a command it serves.</summary>
internal static class Commands
{
    public const string DefaultConfig = "config/proxy.yaml";

    /// <param name="serve">Runs the proxy on a configuration file; yields the exit code.</param>
    public static Task<int> RunAsync(string[] args, Func<string, Task<int>> serve)
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
        root.Add(VersionCommand());

        // Signals are the host's: the parser's own handler would end a draining proxy after two seconds with 143.
        return root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
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
