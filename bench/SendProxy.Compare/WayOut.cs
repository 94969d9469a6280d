namespace SendProxy.Compare;

/// <summary>The way out: every candidate under every load, in rounds that go through all of them, so that the machine's moods fall on all alike.</summary>
internal static class WayOut
{
    private static readonly string[] Head =
    [
        "load", "candidate", "requests/s", "CPU-s/1000", "times nginx+lua", "added p50 us", "added p99 us", "added p99.9 us", "RSS MiB", "Redis scripts/req", "reads/req", "Redis CPU-s/1000",
        "not ok",
    ];

    /// <param name="scheme">Of the upstream. Added latency is always against the direct call over plain http: what TLS costs counts as added.</param>
    public static async Task RunAsync(Workshop shop, Page page, RunOptions options, string scheme, Candidate[] candidates, LoadCase[] loads)
    {
        var instances = new List<Instance>();
        try
        {
            foreach (var candidate in candidates)
            {
                instances.Add(await candidate.StartAsync(shop, scheme));
            }

            var samples = new Dictionary<(LoadCase, string), List<(Sample Sample, LoadReport Direct)>>();
            foreach (var load in loads)
            {
                for (var round = 0; round < options.Rounds; round++)
                {
                    var direct = await LoadRun.RunAsync(shop, shop.Upstream("http") + "/v1/sms/send", load, options.Length);
                    Add(samples, load, Candidates.Direct, new Sample(direct, 0, null, null, 0), direct);
                    // Another order each round: who comes after whom must not matter.
                    foreach (var instance in instances.Skip(round).Concat(instances.Take(round)))
                    {
                        Add(samples, load, instance.Name, await Sample.TakeAsync(shop, instance, load, options.Length), direct);
                    }
                }
            }

            page.Table(Head, from load in loads
                             from name in instances.Select(i => i.Name).Prepend(Candidates.Direct)
                             select Row(load, name, samples[(load, name)], samples.GetValueOrDefault((load, Candidates.NginxLua.Name))));
        }
        finally
        {
            instances.ForEach(i => i.Dispose());
        }
    }

    private static void Add(
        Dictionary<(LoadCase, string), List<(Sample, LoadReport)>> samples, LoadCase load, string name, Sample sample, LoadReport direct)
    {
        if (!samples.TryGetValue((load, name), out var list))
        {
            samples[(load, name)] = list = [];
        }

        list.Add((sample, direct));
    }

    private static string[] Row(LoadCase load, string name, List<(Sample Sample, LoadReport Direct)> rounds, List<(Sample Sample, LoadReport Direct)>? yard)
    {
        var all = rounds.Select(r => r.Sample).ToArray();
        var direct = name == Candidates.Direct;
        string Added(Func<LoadReport, double> quantile) =>
            direct ? $"({Rounds.Text(all.Select(s => quantile(s.Load)), "0")})" : Rounds.Text(rounds.Select(r => quantile(r.Sample.Load) - quantile(r.Direct)), "0");
        var times = yard is null || direct ? "" : (Rounds.Median(all.Select(s => s.Cpu)) / Rounds.Median(yard.Select(y => y.Sample.Cpu))).ToString("0.00", System.Globalization.CultureInfo.InvariantCulture);
        var redis = all.All(s => s.Redis is not null);
        return
        [
            load.Name, name, Rounds.Text(all.Select(s => s.Load.Rate), "0"), direct ? "" : Rounds.Text(all.Select(s => s.Cpu), "0.0000"), times,
            Added(l => l.P50), Added(l => l.P99), Added(l => l.P999), direct ? "" : Rounds.Text(all.Select(s => s.RssMiB), "0.0"),
            redis ? Rounds.Text([Rounds.Median(all.Select(s => s.Redis!.Value.Scripts))], "0.000") : "",
            redis ? Rounds.Text([Rounds.Median(all.Select(s => s.Redis!.Value.Reads))], "0.000") : "",
            redis ? Rounds.Text([Rounds.Median(all.Select(s => s.RedisCpu!.Value))], "0.0000") : "",
            $"{all.Sum(s => s.Load.NotOk)}",
        ];
    }
}
