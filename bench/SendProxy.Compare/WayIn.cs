using System.Globalization;

namespace SendProxy.Compare;

/// <summary>The way in: verify a webhook, store it durably, answer 200.</summary>
internal static class WayIn
{
    private static readonly LoadCase[] Loads = [new(32), new(256), new(32, 1000)];

    public static async Task RunAsync(Workshop shop, Page page, RunOptions options)
    {
        var floors = Loads.ToDictionary(l => l, _ => new List<(double Records, double Syncs)>());
        var samples = new Dictionary<(LoadCase, string), List<Sample>>();
        var instances = new List<Instance>();
        try
        {
            instances.Add(await SendProxyAsync(shop));
            instances.Add(await BullAsync(shop, "always"));
            instances.Add(await BullAsync(shop, "everysec"));
            for (var round = 0; round < options.Rounds; round++)
            {
                foreach (var load in Loads)
                {
                    if (load.Rate == 0)
                    {
                        floors[load].Add(await FsyncFloor.MeasureAsync(shop.Data, load.Connections, options.Length / 2));
                    }

                    foreach (var instance in instances)
                    {
                        var sample = await Sample.TakeAsync(shop, instance, load, options.Length, "--sign", Workshop.WebhookSecret);
                        (samples.TryGetValue((load, instance.Name), out var list) ? list : samples[(load, instance.Name)] = []).Add(sample);
                    }
                }
            }
        }
        finally
        {
            instances.ForEach(i => i.Dispose());
        }

        page.Heading("Way in: verify, store durably, 200");
        page.Table(
            ["load", "receiver", "requests/s", "of the floor", "CPU-s/1000", "Redis CPU-s/1000", "p50 us", "p99 us", "p99.9 us", "RSS MiB", "not ok"],
            Loads.SelectMany(load => floors[load].Take(1).Select(_ => Floor(load, floors[load])).Concat(
                instances.Select(i => Row(load, i.Name, samples[(load, i.Name)], floors[load])))));
        page.Note("The floor is a loop that writes 1 KB for each of as many writers as there are connections and calls fsync once for all that wait: no HTTP, no signature, no index.");
    }

    private static async Task<Instance> SendProxyAsync(Workshop shop)
    {
        var proxy = new Candidate(Candidates.SendProxy, false, s =>
            [Environment.GetEnvironmentVariable("SENDPROXY_BINARY") ?? Path.Combine(shop.Root, "artifacts/publish/linux-x64/sendproxy"), "--config", s.Fill("webhooks.yaml")]);
        return await StartAsync(shop, proxy.Name, null, port => proxy.Command(new Setting(shop, "webhooks", "http", port, Workshop.FreePort(), 0)));
    }

    private static async Task<Instance> BullAsync(Workshop shop, string fsync)
    {
        var redis = await Redis.StartAsync(shop, $"redis-bullmq-{fsync}", fsync);
        return await StartAsync(shop, $"bullmq, fsync {fsync}", redis, port =>
            ["node", Path.Combine(shop.Root, "artifacts/bench/bullmq/receiver.mjs"), $"{port}", $"{redis.Port}", Workshop.WebhookSecret]);
    }

    private static async Task<Instance> StartAsync(Workshop shop, string name, Redis? redis, Func<int, string[]> command)
    {
        var port = Workshop.FreePort();
        var start = TimeProvider.System.GetTimestamp();
        var process = shop.Start($"in-{port}", command(port));
        var url = $"http://127.0.0.1:{port}/webhooks/sendapi";
        await Workshop.UntilAsync(() => process.Ended || Probe.Listens(port), $"{name} on {port}");
        return new Instance(name, process, url, redis, true, TimeProvider.System.GetElapsedTime(start));
    }

    private static string[] Floor(LoadCase load, List<(double Records, double Syncs)> floors) =>
    [
        load.Name, "floor", Rounds.Text(floors.Select(f => f.Records), "0"), $"{Rounds.Text(floors.Select(f => f.Syncs), "0")} fsyncs/s", "", "", "", "", "", "", "",
    ];

    private static string[] Row(LoadCase load, string name, List<Sample> rounds, List<(double Records, double Syncs)> floors) =>
    [
        load.Name, name, Rounds.Text(rounds.Select(s => s.Load.Rate), "0"),
        floors.Count == 0 ? "" : (Rounds.Median(rounds.Select(s => s.Load.Rate)) / Rounds.Median(floors.Select(f => f.Records))).ToString("0 %", CultureInfo.InvariantCulture),
        Rounds.Text(rounds.Select(s => s.Cpu), "0.0000"), rounds[0].RedisCpu is null ? "" : Rounds.Text([Rounds.Median(rounds.Select(s => s.RedisCpu!.Value))], "0.0000"),
        Rounds.Text(rounds.Select(s => s.Load.P50), "0"), Rounds.Text(rounds.Select(s => s.Load.P99), "0"), Rounds.Text(rounds.Select(s => s.Load.P999), "0"),
        Rounds.Text([rounds.Max(s => s.RssMiB)], "0.0"), $"{rounds.Sum(s => s.Load.NotOk)}",
    ];
}
