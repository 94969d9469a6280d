namespace SendProxy.Compare;

/// <summary>From exec to the first answer through it, and the memory of a process that has done no more.</summary>
internal static class Starts
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(Workshop shop, Page page, RunOptions options)
    {
        var times = Candidates.All.ToDictionary(c => c.Name, _ => new List<double>());
        var memory = Candidates.All.ToDictionary(c => c.Name, _ => new List<double>());
        for (var round = 0; round < (options.Quick ? 3 : 7); round++)
        {
            foreach (var candidate in Candidates.All)
            {
                using var instance = await candidate.StartAsync(shop, "http", suffix: $"-start{round}");
                times[candidate.Name].Add(instance.StartTime.TotalMilliseconds);
                if (round < 3)
                {
                    await Task.Delay(Settle, TimeProvider.System);
                    memory[candidate.Name].Add(Proc.RssMiB(instance.Process.Tree));
                }
            }
        }

        page.Heading("Start and idle memory");
        page.Table(
            ["candidate", "", "start ms, exec to first answer", "RSS MiB idle"],
            Candidates.All.Select(c => new[] { c.Name, "", Rounds.Text(times[c.Name], "0.0"), Rounds.Text(memory[c.Name], "0.0") }));
    }
}
