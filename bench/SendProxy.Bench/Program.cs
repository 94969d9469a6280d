using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using SendProxy.Bench;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Sqlite;

// How many items a second the journal takes and gives.
//   dotnet run -c Release --project bench/SendProxy.Bench -- queue [DIRECTORY] [SECONDS] [BODY_BYTES]
// For each number of concurrent writers: enqueue for so long, then claim, mark and finish all of them by as many
// workers.
//   dotnet run -c Release --project bench/SendProxy.Bench -- attempts
//   dotnet run -c Release --project bench/SendProxy.Bench -- acquire
// What a permit takes where there is room.
//   dotnet run -c Release --project bench/SendProxy.Bench -- limits REDIS [SECONDS] [PROCESSES]
// The fleet limiter beside a script for each request and a plan for each process.
// What the way of a send below the forwarder takes of time and memory, beside a bare call.
if (args is ["attempts"])
{
    return AttemptBenchmarks.Run();
}

if (args is ["acquire"])
{
    return AcquireBenchmarks.Run();
}

if (args is ["limits", ..])
{
    return await LimitPeers.RunAsync(args);
}

if (args is not ["queue", ..])
{
    Console.Error.WriteLine("usage: SendProxy.Bench queue [DIRECTORY] [SECONDS] [BODY_BYTES] | attempts | acquire | limits REDIS [SECONDS] [PROCESSES]");
    return 2;
}

var directory = args.ElementAtOrDefault(1) ?? Path.GetTempPath();
var seconds = TimeSpan.FromSeconds(double.Parse(args.ElementAtOrDefault(2) ?? "5", CultureInfo.InvariantCulture));
var body = new byte[int.Parse(args.ElementAtOrDefault(3) ?? "500", CultureInfo.InvariantCulture)];
var time = TimeProvider.System;
Console.WriteLine(
    $"{directory}, {seconds.TotalSeconds} s each, {body.Length} bytes a body, {Environment.ProcessorCount} cores");
Console.WriteLine(
    "writers  enqueued/s  items/commit  enqueue p50 ms  p99 ms  claimed, marked and finished/s  cpu-us/item");
foreach (var writers in (int[])[1, 32, 256])
{
    await MeasureAsync(writers);
}

return 0;

async Task MeasureAsync(int writers)
{
    var path = Path.Combine(directory, $"sendproxy-bench-{Guid.NewGuid():n}", "journal.db");
    var options = new JournalOptions { Path = path, AllowEphemeral = true, Minimum = Durability.Memory };
    var registry = Metrics.NewCustomRegistry();
    var metrics = Metrics.WithCustomRegistry(registry);
    var commits = metrics.CreateCounter("sendproxy_journal_commits_total", "Transactions committed.");
    await using (var journal = SqliteJournal.Open(options.ToSqlite(), new JournalMetrics(metrics), time))
    {
        await using var queue =
            await SqliteMessageQueue.OpenAsync(options, journal, metrics, time, NullLogger.Instance, CancellationToken.None);
        await EnqueueAsync(queue, writers, TimeSpan.FromSeconds(0.5));
        var before = commits.Value;
        var cpu = Environment.CpuUsage.TotalTime;
        var (items, took, waits) = await EnqueueAsync(queue, writers, seconds);
        cpu = Environment.CpuUsage.TotalTime - cpu;
        var perCommit = items / (commits.Value - before);
        var drained = await DrainAsync(queue, writers);
        waits.Sort();
        Console.WriteLine(
            $"{writers,7}  {items / took.TotalSeconds,10:0}  {perCommit,12:0.0}  "
            + $"{waits[waits.Count / 2].TotalMilliseconds,14:0.00}  "
            + $"{waits[waits.Count * 99 / 100].TotalMilliseconds,6:0.00}  "
            + $"{drained,30:0}  {cpu.TotalMicroseconds / items,11:0.0}");
    }

    Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
}

async Task<(int Items, TimeSpan Took, List<TimeSpan> Waits)> EnqueueAsync(
    SqliteMessageQueue queue, int writers, TimeSpan duration)
{
    var started = time.GetTimestamp();
    var waits = await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(async () =>
    {
        var own = new List<TimeSpan>();
        while (time.GetElapsedTime(started) < duration)
        {
            var begun = time.GetTimestamp();
            var result = await queue.EnqueueAsync(
                [new NewItem { Queue = "outbox", Route = "sms", Body = body }], CancellationToken.None);
            own.Add(time.GetElapsedTime(begun));
            if (result[0].Verdict != EnqueueVerdict.Stored)
            {
                throw new InvalidOperationException($"{result[0]}");
            }
        }

        return own;
    })));
    var all = waits.SelectMany(wait => wait).ToList();
    return (all.Count, time.GetElapsedTime(started), all);
}

async Task<double> DrainAsync(SqliteMessageQueue queue, int workers)
{
    var started = time.GetTimestamp();
    var counts = await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
    {
        var done = 0;
        while (time.GetElapsedTime(started) < seconds
            && (await queue.ClaimAsync(new ClaimRequest("outbox", 1) { Mark = true }, CancellationToken.None)).Items
                is { Count: > 0 } claimed)
        {
            await queue.FinishAsync(claimed[0].Lease, Finish.Done(new ItemResponse(202, body)), CancellationToken.None);
            done++;
        }

        return done;
    })));
    return counts.Sum() / time.GetElapsedTime(started).TotalSeconds;
}
