using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.QueueKill;
using SendProxy.Sqlite;

// The process that the kill test kills. Arguments: journal path, writers, `commit` or `early`.
// It prints `ready`, then the id of each item once it is acknowledged, one a line, until it is killed.
// `early` is the negative control: it acknowledges what it has only handed in, and the test must notice.
// `outbox-early` and `outbox-unmarked` are flawed outboxes, for the controls of the outbox's campaign; then also: vendor, key, prefix.
if (args[2].StartsWith("outbox-", StringComparison.Ordinal))
{
    await FlawedOutbox.RunAsync(args);
    return;
}

var (path, writers, early) = (args[0], int.Parse(args[1], CultureInfo.InvariantCulture), args[2] == "early");
var options = new JournalOptions { Path = path, AllowEphemeral = true, Minimum = Durability.Memory };
var metrics = Metrics.WithCustomRegistry(Metrics.NewCustomRegistry());
await using var journal = SqliteJournal.Open(options.ToSqlite(), new JournalMetrics(metrics), TimeProvider.System);
await using var queue = await SqliteMessageQueue.OpenAsync(
    options, journal, metrics, TimeProvider.System, NullLogger.Instance, CancellationToken.None);
var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
var turn = new Lock();
Say("ready");
await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(WriteAsync)));

async Task WriteAsync()
{
    while (true)
    {
        var id = Guid.CreateVersion7();
        var storing = queue.EnqueueAsync(
            [new NewItem { Id = id, Queue = "outbox", Route = "sms", Body =
                id.ToByteArray() }], CancellationToken.None);
        if (early)
        {
            Say($"{id}");
        }

        if ((await storing)[0].Verdict == EnqueueVerdict.Stored && !early)
        {
            Say($"{id}");
        }
    }
}

void Say(string line)
{
    lock (turn)
    {
        output.WriteLine(line);
    }
}
