using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Sqlite;

namespace SendProxy.QueueKill;

/// <summary>
/// An outbox with one flaw, in a process that is killed: <c>early</c> says accepted before it is stored; <c>unmarked</c> sends again what
/// the process before it may have sent, since it never noted that an attempt began. It prints what it accepted, and <c>drained</c> once
/// nothing waits.
/// </summary>
internal static class FlawedOutbox
{
    private const string Queue = "outbox";

    /// <param name="args">Journal, messages, flaw, vendor, key, prefix of the messages' names.</param>
    public static async Task RunAsync(string[] args)
    {
        var (path, messages, early) = (args[0], int.Parse(args[1], CultureInfo.InvariantCulture), args[2] == "outbox-early");
        var options = new JournalOptions { Path = path, AllowEphemeral = true, Minimum = Durability.Memory };
        var metrics = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());
        await using var journal = SqliteJournal.Open(options.ToSqlite(), new JournalMetrics(metrics), TimeProvider.System);
        await using var queue = await SqliteMessageQueue.OpenAsync(options, journal, metrics, TimeProvider.System, NullLogger.Instance, CancellationToken.None);
        using var client = new HttpClient { BaseAddress = new Uri(args[3]) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", args[4]);
        var output = TextWriter.Synchronized(new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true });
        var sending = SendAsync(queue, client, output);

        // Only the first life takes messages: the second one must bring out what the first one took.
        for (var i = 0; i < messages && args[5].EndsWith("-0", StringComparison.Ordinal); i++)
        {
            var name = $"{args[5]}-{i}";
            var storing = queue.EnqueueAsync([new NewItem { Queue = Queue, Route = "sms", Body = Encoding.UTF8.GetBytes(name) }], CancellationToken.None);
            if (early)
            {
                await output.WriteLineAsync($"accepted {name}");
            }

            await storing;
            if (!early)
            {
                await output.WriteLineAsync($"accepted {name}");
            }
        }

        await sending;
    }

    private static async Task SendAsync(SqliteMessageQueue queue, HttpClient client, TextWriter output)
    {
        while (true)
        {
            var claimed = await queue.ClaimAsync(new ClaimRequest(Queue, 16), CancellationToken.None);
            if (claimed.Items.Count == 0)
            {
                await output.WriteLineAsync("drained");
                await queue.WaitForWorkAsync(Queue, claimed, CancellationToken.None);
            }

            await Task.WhenAll(claimed.Items.Select(async item =>
            {
                var body = $$$"""{"to":"+491701234567","from":"Shop","text":"Hello","metadata":{"intent":"{{{Encoding.UTF8.GetString(item.Body.Span)}}}"}}""";
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                content.Headers.Add("X-Sandbox-Fault", "delay;ms=20");
                using var answer = await client.PostAsync(new Uri("/v1/sms/send", UriKind.Relative), content);
                await queue.FinishAsync(item.Lease, Finish.Done(), CancellationToken.None);
            }));
        }
    }
}
