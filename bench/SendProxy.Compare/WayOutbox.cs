using System.Globalization;

namespace SendProxy.Compare;

/// <summary>The outbox: store a message durably, answer 202, send it. What is measured ends when the last of a load has arrived upstream.</summary>
internal static class WayOutbox
{
    private static readonly LoadCase[] Loads = [new(32), new(256), new(32, 1000)];
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DrainedAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static long _looks;

    public static async Task RunAsync(Workshop shop, Page page, RunOptions options)
    {
        var samples = new Dictionary<(LoadCase, string), List<OutboxSample>>();
        var instances = new List<Instance>();
        try
        {
            instances.Add(await SendProxyAsync(shop, "sendproxy on SQLite, fsync", null, "kind: sqlite, path: @DATA@/outbox.db, minimum: fsync, maxItems: 10000000"));
            foreach (var fsync in (string[])["everysec", "always"])
            {
                var redis = await Redis.StartAsync(shop, $"redis-outbox-{fsync}", fsync);
                instances.Add(await SendProxyAsync(shop, $"sendproxy on Redis, fsync {fsync}", redis,
                    $"kind: redis, redis: {{ connection: \"127.0.0.1:{redis.Port}\" }}, maxItems: 10000000, sealKeys: [{{ file: seal }}]"));
            }

            instances.Add(await BullAsync(shop, "everysec"));
            instances.Add(await BullAsync(shop, "always"));
            for (var round = 0; round < options.Rounds; round++)
            {
                foreach (var load in Loads)
                {
                    foreach (var instance in instances)
                    {
                        var sample = await TakeAsync(shop, instance, load, options.Length);
                        (samples.TryGetValue((load, instance.Name), out var list) ? list : samples[(load, instance.Name)] = []).Add(sample);
                    }
                }
            }
        }
        finally
        {
            instances.ForEach(i => i.Dispose());
        }

        page.Heading("Outbox: store durably, 202, send");
        page.Table(
            ["load", "outbox", "accepts/s", "p50 us", "p99 us", "p99.9 us", "sent/s until the last", "CPU-s/1000 sent", "Redis CPU-s/1000", "Redis commands each", "RSS MiB", "not ok"],
            Loads.SelectMany(load => instances.Select(i => Row(load, i.Name, samples[(load, i.Name)]))));
        page.Note("An accept is answered when it is stored. CPU and commands are those of accepting and sending, until the upstream has had all of a load.");
    }

    private static async Task<OutboxSample> TakeAsync(Workshop shop, Instance instance, LoadCase load, TimeSpan length)
    {
        var tree = instance.Process.Tree;
        int[] redis = instance.Redis is { } r ? [r.Process.Id] : [];
        var (cpu, redisCpu, counts, before) = (Proc.Cpu(tree), Proc.Cpu(redis), instance.Redis?.Counts(), await ArrivedAsync(shop));
        var start = TimeProvider.System.GetTimestamp();
        var report = await LoadRun.RunAsync(shop, instance.Url, load, length);

        // The generator counts nothing of its warm-up, so that the end is seen where nothing more arrives.
        var (arrived, last) = (before, TimeSpan.Zero);
        while (TimeProvider.System.GetElapsedTime(start) is var now && now - last < DrainedAfter + (last == TimeSpan.Zero ? length : TimeSpan.Zero) && now < Patience)
        {
            if (await ArrivedAsync(shop) is var seen && seen != arrived)
            {
                (arrived, last) = (seen, now);
            }

            await Task.Delay(Look, TimeProvider.System);
        }

        (cpu, redisCpu) = (Proc.Cpu(tree) - cpu, Proc.Cpu(redis) - redisCpu);
        var sent = Math.Max(arrived - before, 1.0);
        return new(report, sent / Math.Max(last.TotalSeconds, 0.001), cpu.TotalSeconds / sent * 1000, redis.Length == 0 ? null : redisCpu.TotalSeconds / sent * 1000,
            (instance.Redis?.Counts() - counts)?.Commands / sent, Proc.RssMiB(tree));
    }

    // Each look is a request of its own.
    private static async Task<long> ArrivedAsync(Workshop shop)
    {
        using var client = new HttpClient();
        var text = await client.GetStringAsync(new Uri(shop.Upstream("http") + "/requests"));
        return long.Parse(text.Split('\n')[2].Trim().Split(' ')[2], CultureInfo.InvariantCulture) - ++_looks;
    }

    private static Task<Instance> SendProxyAsync(Workshop shop, string name, Redis? redis, string journal)
    {
        var candidate = new Candidate(name, false, s =>
        [
            Environment.GetEnvironmentVariable("SENDPROXY_BINARY") ?? Path.Combine(shop.Root, "artifacts/publish/linux-x64/sendproxy"), "--config",
            s.Fill("outbox.yaml", ("JOURNAL", journal)),
        ]);
        return StartAsync(shop, name, redis, (port, place) => candidate.Command(new Setting(shop, place, "http", port, Workshop.FreePort(), redis?.Port ?? 0)));
    }

    private static async Task<Instance> BullAsync(Workshop shop, string fsync)
    {
        var redis = await Redis.StartAsync(shop, $"redis-bull-outbox-{fsync}", fsync);
        return await StartAsync(shop, $"bullmq, fsync {fsync}", redis, (port, _) =>
            ["node", Path.Combine(shop.Root, "artifacts/bench/bullmq/outbox.mjs"), $"{port}", $"{redis.Port}", shop.Upstream("http"), Workshop.Key]);
    }

    private static async Task<Instance> StartAsync(Workshop shop, string name, Redis? redis, Func<int, string, string[]> command)
    {
        var port = Workshop.FreePort();
        var start = TimeProvider.System.GetTimestamp();
        var process = shop.Start($"outbox-{port}", command(port, $"outbox-{port}"));
        var url = $"http://127.0.0.1:{port}/v1/sms/send";
        await Workshop.UntilAsync(() => process.Ended || Probe.Listens(port), $"{name} on {port}");
        return process.Ended
            ? throw new InvalidOperationException($"{name}: {await File.ReadAllTextAsync(process.Output)}")
            : new Instance(name, process, url, redis, redis is not null, TimeProvider.System.GetElapsedTime(start));
    }

    private static string[] Row(LoadCase load, string name, List<OutboxSample> rounds) =>
    [
        load.Name, name, Rounds.Text(rounds.Select(s => s.Load.Rate), "0"),
        Rounds.Text(rounds.Select(s => s.Load.P50), "0"), Rounds.Text(rounds.Select(s => s.Load.P99), "0"), Rounds.Text(rounds.Select(s => s.Load.P999), "0"),
        Rounds.Text(rounds.Select(s => s.SentRate), "0"), Rounds.Text(rounds.Select(s => s.Cpu), "0.0000"),
        rounds[0].RedisCpu is null ? "" : Rounds.Text([Rounds.Median(rounds.Select(s => s.RedisCpu!.Value))], "0.0000"),
        rounds[0].Commands is null ? "" : Rounds.Text([Rounds.Median(rounds.Select(s => s.Commands!.Value))], "0.0"),
        Rounds.Text([rounds.Max(s => s.RssMiB)], "0.0"), $"{rounds.Sum(s => s.Load.NotOk)}",
    ];

    /// <param name="SentRate">Messages a second, from the begin of the load until the last arrived upstream.</param>
    /// <param name="Cpu">Seconds for 1,000 messages, accepted and sent.</param>
    /// <param name="Commands">Of Redis for a message, those inside scripts too.</param>
    private sealed record OutboxSample(LoadReport Load, double SentRate, double Cpu, double? RedisCpu, double? Commands, double RssMiB);
}
