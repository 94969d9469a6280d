using System.CommandLine;

namespace SendProxy.Sandbox.Cli;

/// <summary>The commands of <c>sendproxy-sandbox</c>.</summary>
internal static class SandboxCommands
{
    /// <returns>The exit code: 0, or 1 when the arguments are wrong or the start failed.</returns>
    public static Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("A simulated SendAPI for tests, demos and benchmarks. Nothing leaves this machine.")
        {
            ServeCommand.Build(),
            Demo.DemoCommand.Build(),
        };
        return root.Parse(args).InvokeAsync();
    }
}
