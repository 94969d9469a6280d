using System.Globalization;
using System.Text.Json;

namespace SendProxy.Compare;

/// <summary>A way to load a candidate.</summary>
/// <param name="Rate">A second; 0: closed loop, as fast as answers come.</param>
internal sealed record LoadCase(int Connections, double Rate = 0, int Body = 1024)
{
    public string Name => Rate > 0 ? $"open {Rate:0}/s, {Connections} conn." : $"closed, {Connections} conn.";
}

/// <summary>What the generator printed: latencies in microseconds.</summary>
internal sealed record LoadReport(double Rate, long All, long Answers, long Ok, long Errors, long Unanswered, long Behind, double P50, double P90, double P99, double P999, double Max)
{
    public long NotOk => Answers - Ok + Errors + Unanswered + Behind;
}

/// <summary>Calls sendproxy-load.</summary>
internal static class LoadRun
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private static int _runs;

    public static async Task<LoadReport> RunAsync(Workshop shop, string url, LoadCase load, TimeSpan length, params string[] more)
    {
        using var child = Start(shop, url, load, length, more);
        return await ReportAsync(child);
    }

    public static Child Start(Workshop shop, string url, LoadCase load, TimeSpan length, params string[] more) => shop.Start(
        $"load-{Interlocked.Increment(ref _runs)}",
        [
            Path.Combine(shop.Root, "artifacts/bench/load/sendproxy-load"), "--url", url, "--connections", Text(load.Connections), "--rate", Text(load.Rate),
            "--body", Text(load.Body), "--seconds", Text(length.TotalSeconds), "--warmup", Text(Math.Clamp(length.TotalSeconds / 4, 0.3, 1)), .. more,
        ]);

    public static async Task<LoadReport> ReportAsync(Child child)
    {
        await child.EndAsync();
        var text = await File.ReadAllTextAsync(child.Output);
        return text.StartsWith('{') ? JsonSerializer.Deserialize<LoadReport>(text, Json)! : throw new InvalidOperationException($"{child.Command}: {text}");
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
