using System.CommandLine;
using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Cli;

/// <summary><c>serve</c>: listens until it is told to stop.</summary>
internal static class ServeCommand
{
    public static Command Build()
    {
        var writeAuthority = new Option<FileInfo?>("--write-ca")
        {
            Description = "Write the authority that a client must trust for --https, in PEM, to this file.",
        };
        var options = new ServeOptions();
        var command = new Command("serve", "Serve the simulated SendAPI until SIGINT or SIGTERM.") { writeAuthority };
        options.AddTo(command);
        command.SetAction((parsed, stop) => ServeAsync(options.Read(parsed), parsed.GetValue(writeAuthority), stop));
        return command;
    }

    private static async Task<int> ServeAsync(SandboxOptions options, FileInfo? authority, CancellationToken stop)
    {
        if (authority is not null && options.Https is null)
        {
            await Console.Error.WriteLineAsync("sendproxy-sandbox: --write-ca needs --https.");
            return 1;
        }

        SandboxServer server;
        try
        {
            server = await SandboxServer.StartAsync(options, TimeProvider.System, stop);
        }
        catch (Exception problem) when (problem is IOException or FormatException)
        {
            await Console.Error.WriteLineAsync($"sendproxy-sandbox: {problem.Message}");
            return 1;
        }

        await using (server)
        {
            // The file comes first: a line on stdout says that everything is ready.
            if (authority is not null && server.AuthorityPem is { } pem)
            {
                await File.WriteAllTextAsync(authority.FullName, pem + "\n", stop);
            }

            if (server.HttpAddress is { } http) { Announce(http); }
            if (server.HttpsAddress is { } https) { Announce(https); }
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var _ = stop.Register(stopped.SetResult);
            await stopped.Task;
        }

        return 0;
    }

    private static void Announce(Uri address) =>
        Console.WriteLine($"listening {address.GetLeftPart(UriPartial.Authority)}");
}
