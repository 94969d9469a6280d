namespace SendProxy.Compare;

/// <summary>One candidate under one load in one round. Latencies in microseconds, CPU in seconds for 1,000 requests.</summary>
/// <param name="Cpu">Of the candidate, all its processes.</param>
/// <param name="RedisCpu">Of its Redis; null where it has none.</param>
/// <param name="Redis">What its Redis was asked for each request: scripts, commands with those inside scripts, reads.</param>
internal sealed record Sample(LoadReport Load, double Cpu, double? RedisCpu, (double Scripts, double Commands, double Reads)? Redis, double RssMiB)
{
    /// <summary>Loads it and takes the difference of all counters.</summary>
    public static async Task<Sample> TakeAsync(Workshop shop, Instance instance, LoadCase load, TimeSpan length, params string[] more)
    {
        var tree = instance.Process.Tree;
        int[] redis = instance.Redis is { } r ? [r.Process.Id] : [];
        var (cpu, redisCpu, counts) = (Proc.Cpu(tree), Proc.Cpu(redis), instance.Redis?.Counts());
        var report = await LoadRun.RunAsync(shop, instance.Url, load, length, more);
        (cpu, redisCpu) = (Proc.Cpu(tree) - cpu, Proc.Cpu(redis) - redisCpu);
        var asked = instance.Redis?.Counts() - counts;
        var all = Math.Max(report.All, 1.0);
        return new(
            report, cpu.TotalSeconds / all * 1000, asked is null ? null : redisCpu.TotalSeconds / all * 1000,
            asked is { } a ? (a.Scripts / all, a.Commands / all, a.Reads / all) : null, Proc.RssMiB(tree));
    }
}

/// <summary>Values of several rounds: the median, and from where to where they went.</summary>
internal static class Rounds
{
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <returns>As "12.3 (11.9-13.0)"; the median alone where there was one round.</returns>
    public static string Text(IEnumerable<double> values, string format)
    {
        var all = values.ToArray();
        string Of(double value) => value.ToString(format, System.Globalization.CultureInfo.InvariantCulture);
        return all.Length == 0 ? "-" : all.Length == 1 ? Of(all[0]) : $"{Of(Median(all))} ({Of(all.Min())} to {Of(all.Max())})";
    }
}
