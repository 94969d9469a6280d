namespace SendProxy.Compare;

/// <summary>What a request costs as something grows: connections, bodies, processes on one Redis.</summary>
internal static class Growth
{
    private static readonly Candidate[] Compared = [Candidates.Whole, Candidates.BareYarp, Candidates.NginxLua];
    private static readonly int[] Connections = [1, 4, 16, 64, 256, 1000];
    private static readonly int[] Bodies = [200, 1_000, 10_000, 100_000, 1_000_000];
    private static readonly int[] Processes = [1, 2, 5, 10, 20];

    public static async Task RunAsync(Workshop shop, Page page, RunOptions options)
    {
        page.Heading("Growth");
        var instances = new List<Instance>();
        try
        {
            foreach (var candidate in Compared)
            {
                instances.Add(await candidate.StartAsync(shop, "http"));
            }

            await CurveAsync(shop, page, options, instances, "connections", Connections, at => new(at));
            await CurveAsync(shop, page, options, instances, "body-bytes", Bodies, at => new(16, Body: at));
        }
        finally
        {
            instances.ForEach(i => i.Dispose());
        }

        await FleetAsync(shop, page, options);
    }

    private static async Task CurveAsync(
        Workshop shop, Page page, RunOptions options, List<Instance> instances, string axis, int[] steps, Func<int, LoadCase> load)
    {
        var curves = instances.ToDictionary(i => i.Name, _ => new List<(double X, double Y)>());
        var rows = new List<string[]>();
        foreach (var at in steps)
        {
            foreach (var instance in instances)
            {
                var sample = await Sample.TakeAsync(shop, instance, load(at), options.Length * 0.7);
                curves[instance.Name].Add((at, sample.Cpu * 1000));
                rows.Add([$"{at} {axis}", instance.Name, Rounds.Text([sample.Load.Rate], "0"), Rounds.Text([sample.Cpu], "0.0000"), Rounds.Text([sample.Load.P99], "0"), Rounds.Text([sample.RssMiB], "0.0"), $"{sample.Load.NotOk}"]);
            }
        }

        page.Table(["step, closed loop", "candidate", "requests/s", "CPU-s/1000", "p99 us", "RSS MiB", "not ok"], rows);
        await Plot.WriteAsync(shop, Path.Combine(options.Plots, $"growth-{axis}.svg"), $"CPU for a request by {axis}", axis, "CPU-ms for a request", curves);
    }

    /// <summary>The same 2,000 requests a second over more and more processes, each with a generator of its own.</summary>
    private static async Task FleetAsync(Workshop shop, Page page, RunOptions options)
    {
        const double Rate = 2000;
        var fleets = new[] { Candidates.Whole, Candidates.NginxLua };
        var curves = fleets.SelectMany(f => new[] { f.Name, $"{f.Name}: Redis alone" }).ToDictionary(n => n, _ => new List<(double X, double Y)>());
        var rows = new List<string[]>();
        foreach (var (count, fleet) in Processes.SelectMany(p => fleets.Select(f => (p, f))))
        {
            using var redis = await Redis.StartAsync(shop, $"redis-fleet-{fleet.Name}-{count}", "none");
            var instances = new List<Instance>();
            try
            {
                for (var i = 0; i < count; i++)
                {
                    instances.Add(await fleet.StartAsync(shop, "http", redis, $"-fleet{count}-{i}"));
                }

                var tree = instances.SelectMany(i => i.Process.Tree).ToArray();
                var (cpu, redisCpu, counts) = (Proc.Cpu(tree), Proc.Cpu([redis.Process.Id]), redis.Counts());
                var loads = instances.ConvertAll(i => LoadRun.Start(shop, i.Url, new(8, Rate / count), options.Length));
                var reports = await Task.WhenAll(loads.Select(LoadRun.ReportAsync));
                (cpu, redisCpu) = (Proc.Cpu(tree) - cpu, Proc.Cpu([redis.Process.Id]) - redisCpu);
                var all = Math.Max(reports.Sum(r => r.All), 1.0);
                curves[fleet.Name].Add((count, cpu.TotalMilliseconds / all));
                curves[$"{fleet.Name}: Redis alone"].Add((count, redisCpu.TotalMilliseconds / all));
                rows.Add(
                [
                    $"{count}", fleet.Name, Rounds.Text([reports.Sum(r => r.Rate)], "0"), Rounds.Text([cpu.TotalSeconds / all * 1000], "0.0000"), Rounds.Text([redisCpu.TotalSeconds / all * 1000], "0.0000"),
                    Rounds.Text([(redis.Counts() - counts).Reads / all], "0.000"), Rounds.Text([reports.Max(r => r.P99)], "0"), Rounds.Text([Proc.RssMiB(tree) / count], "0.0"), $"{reports.Sum(r => r.NotOk)}",
                ]);
            }
            finally
            {
                instances.ForEach(i => i.Dispose());
            }
        }

        page.Table(["processes, open 2000/s in all", "candidate", "requests/s", "CPU-s/1000", "Redis CPU-s/1000", "Redis reads/req", "worst p99 us", "RSS MiB each", "not ok"], rows);
        await Plot.WriteAsync(shop, Path.Combine(options.Plots, "growth-processes.svg"), "CPU for a request by processes on one Redis, 2000/s in all", "processes", "CPU-ms for a request", curves);
    }
}
