using System.Diagnostics;

namespace SendProxy.Compare;

/// <summary>What was run on what.</summary>
internal static class Versions
{
    public static IEnumerable<string> All(Workshop shop, RunOptions options) =>
    [
        $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC, commit {Said("git", "rev-parse --short HEAD")}{(Said("git", "status --porcelain -- src").Length > 0 ? " with changes" : "")}",
        $"{Proc.Machine()}; load average at the begin: {Proc.LoadAverage()}",
        $"{options.Rounds} rounds of {options.Length.TotalSeconds} s each: median (lowest to highest). Latencies from when a request was due.",
        $"upstream: nginx, one worker, answers at once; generator, upstream, proxy and Redis share the cores ({shop.Upstream("http")}, {shop.Upstream("https")})",
        $".NET {Environment.Version}; {Said("nginx", "-v")}; {Said("haproxy", "-v")}; {Said("redis-server", "--version")}; node {Said("node", "--version")}; bullmq 6.7.0",
    ];

    private static string Said(string program, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var text = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return text.Split('\n')[0].Trim();
    }
}
