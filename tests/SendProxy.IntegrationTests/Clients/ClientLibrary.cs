using System.Diagnostics;
using System.Security.Cryptography;

namespace SendProxy.IntegrationTests.Clients;

/// <summary>One call with a vendor's own client library as it is shipped, on Node or .NET; eng/setup.sh installs those for Node.</summary>
internal static class ClientLibrary
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);

    /// <summary>Where the libraries are; null where they are not installed.</summary>
    public static string? Folder { get; } = Find();

    /// <returns>How the call ended, in one line.</returns>
    public static Task<string> CallAsync(string client, Uri url, CancellationToken cancellation) => client.StartsWith(DotNetLibrary.Prefix, StringComparison.Ordinal)
        ? DotNetLibrary.CallAsync(client, url, cancellation)
        : OnNodeAsync(client, url, cancellation);

    /// <summary>Skips where they are missing; not in CI, which has to install them.</summary>
    public static void RequireInstalled(string client)
    {
        if (client.StartsWith(DotNetLibrary.Prefix, StringComparison.Ordinal))
        {
            return;
        }

        if (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.SkipWhen(Folder is null, "The vendors' client libraries are not installed: bash eng/setup.sh");
        }

        Assert.NotNull(Folder);
    }

    private static async Task<string> OnNodeAsync(string client, Uri url, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(Root(), "tests", "SendProxy.IntegrationTests", "Clients", "once.mjs"));
        start.ArgumentList.Add(client);
        start.ArgumentList.Add(url.ToString().TrimEnd('/'));
        start.Environment["CLIENTS"] = Folder;
        using var node = Process.Start(start)!;
        try
        {
            var (output, errors) = (node.StandardOutput.ReadToEndAsync(cancellation), node.StandardError.ReadToEndAsync(cancellation));
            await node.WaitForExitAsync(cancellation).WaitAsync(Guard, cancellation);
            return node.ExitCode == 0 ? (await output).Trim() : throw new InvalidOperationException(await errors);
        }
        finally
        {
            node.Kill();
        }
    }

    private static string? Find()
    {
        var tools = Environment.GetEnvironmentVariable("SENDPROXY_TOOLS") is { Length: > 0 } named ? named
            : Path.Combine(
                Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache
                    : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "sendproxy");
        var locked = File.ReadAllBytes(Path.Combine(Root(), "eng", "clients", "package-lock.json"));
        var folder = Path.Combine(tools, $"clients-{Convert.ToHexStringLower(SHA256.HashData(locked))[..12]}");
        return Directory.Exists(folder) ? folder : null;
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "SendProxy.sln")))
        {
            at = at.Parent;
        }

        return at!.FullName;
    }
}
