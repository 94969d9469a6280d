namespace SendProxy.Compare;

/// <summary>When something behind the proxy is ill: what the others, who have nothing to do with it, notice.</summary>
internal static class Faults
{
    private static readonly TimeSpan Sound = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Ill = TimeSpan.FromSeconds(2);
    private static readonly string[] Head = ["fault", "candidate", "p50 us before", "p99 us before", "p99 us during", "p99.9 us during", "answers/s during", "RSS MiB before", "RSS MiB during", "not ok"];

    public static async Task RunAsync(Workshop shop, Page page, RunOptions options)
    {
        page.Heading("Under fault");
        var rows = new List<string[]>();
        foreach (var candidate in Candidates.All.Where(c => c.NeedsRedis))
        {
            using var instance = await candidate.StartAsync(shop, "http", suffix: "-paused");
            rows.Add(await MeasureAsync(shop, instance, "Redis paused 2 s, 1000/s", new LoadCase(64, 1000), PausedAsync(instance)));
        }

        foreach (var candidate in Candidates.All)
        {
            using var instance = await candidate.StartAsync(shop, "http", suffix: "-slow");
            rows.Add(await MeasureAsync(shop, instance, "500 wait 2 s for the upstream; 500/s others", new LoadCase(32, 500), SlowAsync(shop, instance)));
        }

        page.Table(Head, rows);
        _ = options;
    }

    private static Func<Task> PausedAsync(Instance instance) => async () =>
    {
        Signals.Send(instance.Redis!.Process.Id, Signals.Stop);
        await Task.Delay(Ill, TimeProvider.System);
        Signals.Send(instance.Redis.Process.Id, Signals.Continue);
    };

    private static Func<Task> SlowAsync(Workshop shop, Instance instance) => async () =>
        await LoadRun.RunAsync(shop, instance.Url.Replace("sms", "whatsapp", StringComparison.Ordinal), new LoadCase(500), Ill);

    private static async Task<string[]> MeasureAsync(Workshop shop, Instance instance, string name, LoadCase others, Func<Task> fault)
    {
        var before = await LoadRun.RunAsync(shop, instance.Url, others, Sound);
        var rss = Proc.RssMiB(instance.Process.Tree);
        using var during = LoadRun.Start(shop, instance.Url, others, Sound + Ill);
        await Task.Delay(Sound / 2, TimeProvider.System);
        var ill = fault();
        var most = rss;
        while (!during.Ended)
        {
            most = Math.Max(most, Proc.RssMiB(instance.Process.Tree));
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        await ill;
        var report = await LoadRun.ReportAsync(during);
        return
        [
            name, instance.Name, $"{before.P50}", $"{before.P99}", $"{report.P99}", $"{report.P999}", Rounds.Text([report.Rate], "0"), Rounds.Text([rss], "0.0"), Rounds.Text([most], "0.0"), $"{report.NotOk}",
        ];
    }
}
