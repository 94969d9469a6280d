using System.Diagnostics;
using System.Globalization;
using SendProxy.IntegrationTests.Egress;
using SendProxy.IntegrationTests.Outbox;
using SendProxy.IntegrationTests.Queueing;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Recording;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Campaigns;

// The proxy is killed at random instants while it takes messages and sends them: what was answered 202 has one effect, and nothing has two.
// Short in every run; long by eng/campaign.sh outbox.
public class OutboxCampaign
{
    private const string Outbox = "journal: { path: outbox.db, allowEphemeral: true, minimum: memory }\noutbox: { retry: { baseDelay: 20ms, maxDelay: 500ms }, rampUp: 1s }";
    private const string Line = "timeouts: { attempt: 700ms, total: 2s }, retry: { attempts: 2, baseDelay: 5ms, maxDelay: 40ms, budget: 100%, floor: 10000/s }, breaker: { failureRatio: 100%, openFor: 500ms }";

    private static readonly int Messages = Variable("SENDPROXY_CAMPAIGN_SENDS", 150);
    private static readonly int Kills = Variable("SENDPROXY_CAMPAIGN_KILLS", 4);
    private static readonly int Seed = Variable("SENDPROXY_CAMPAIGN_SEED", Random.Shared.Next(1, 1_000_000));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Outbox_KilledAtRandom_SendsWhatItAcceptedOnce(bool deduplicates)
    {
        await using var stage = await EgressStage.SetAsync(
            deduplicates ? Line : $"idempotency: {{ carrier: none }}, {Line}", Outbox, vendor: Vendor(deduplicates));
        var proxy = stage.Proxy;
        var address = proxy.Address("egress");
        using var load = new OutboxLoad(Seed, Messages, () => address);
        var loading = load.RunAsync(Token);
        var random = new Random(Seed);
        var (kills, step, slowest) = (0, Math.Max(1, Messages / (Kills + 1)), TimeSpan.Zero);
        while (kills < Kills && !loading.IsCompleted)
        {
            if (load.Accepted.Count < step * (kills + 1))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
                continue;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 60)), TimeProvider.System, Token);
            await proxy.KillAsync();
            await EndAsync(stage, proxy);
            var start = TimeProvider.System.GetTimestamp();
            proxy = await ProxyProcess.StartAsync(stage.Folder, Token);
            address = proxy.Address("egress");
            kills++;
            slowest = TimeProvider.System.GetElapsedTime(start) is var took && took > slowest ? took : slowest;
        }

        await loading;
        using var client = new HttpClient { BaseAddress = address };
        var ends = await EndsAsync(client, load.Accepted);
        var broken = Judge(stage.Vendor.Ledger, load.Accepted, ends, deduplicates);
        await ReportAsync(string.Create(CultureInfo.InvariantCulture,
            $"outbox, vendor {(deduplicates ? "deduplicates" : "does not deduplicate")}: seed {Seed}; {load.Accepted.Count} messages accepted, {kills} kills, slowest start {slowest.TotalMilliseconds:0} ms; "
            + $"{string.Join(", ", ends.Values.GroupBy(s => s).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key}"))}; {stage.Vendor.Requests.Arrived} requests at the vendor, "
            + $"{stage.Vendor.Ledger.Effects} effects; {broken.Count} broken promises{(broken.Count == 0 ? "" : ": " + string.Join("; ", broken.Take(10)))}"));
        await EndAsync(stage, proxy);

        Assert.True(broken.Count == 0, string.Join('\n', broken));
        Assert.True(kills > 0 && load.Accepted.Count >= Messages / 3, "It was too quick to be killed.");
    }

    // Flawed outboxes in a process of their own; the judge must notice.
    [Theory]
    [InlineData("early")]
    [InlineData("unmarked")]
    public async Task Flaw_InAnOutbox_IsCaught(string flaw)
    {
        await using var vendor = await SandboxServer.StartAsync(Vendor(deduplicates: false), TimeProvider.System, Token);
        for (var round = 0; round < 20; round++)
        {
            var journal = Directory.CreateTempSubdirectory("sendproxy-flaw-").FullName;
            try
            {
                if ((await FlawedRoundAsync(flaw, $"{journal}/outbox.db", vendor, round)).Count > 0)
                {
                    return;
                }
            }
            finally
            {
                Directory.Delete(journal, recursive: true);
            }
        }

        Assert.Fail($"An outbox with the flaw {flaw} was not caught in 20 rounds.");
    }

    private static async Task<IReadOnlyList<string>> FlawedRoundAsync(string flaw, string journal, SandboxServer vendor, int round)
    {
        var accepted = new List<AcceptedMessage>();
        for (var life = 0; life < 2; life++)
        {
            using var process = Process.Start(new ProcessStartInfo("dotnet",
                [QueueProcess.Executable, journal, "40", $"outbox-{flaw}", $"{vendor.HttpAddress}", EgressStage.Key, $"{flaw}{round}-{life}"])
            {
                RedirectStandardOutput = true,
            })!;
            while (await process.StandardOutput.ReadLineAsync(Token) is { } line && !(life == 1 && line == "drained"))
            {
                if (line.StartsWith("accepted ", StringComparison.Ordinal))
                {
                    accepted.Add(new AcceptedMessage(line["accepted ".Length..], new Uri("about:blank"), false));
                }

                if (life == 0 && accepted.Count >= 20)
                {
                    break;
                }
            }

            process.Kill();
            await process.WaitForExitAsync(Token);
        }

        var effects = vendor.Ledger.Read().Where(e => e.Intent is not null).ToLookup(e => e.Intent!, StringComparer.Ordinal);
        return [.. accepted.Where(a => effects[a.Intent].Count() != 1).Select(a => $"message {a.Intent} has {effects[a.Intent].Count()} effects")];
    }

    private static async Task<Dictionary<string, string>> EndsAsync(HttpClient client, IEnumerable<AcceptedMessage> accepted)
    {
        var ends = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var message in accepted.DistinctBy(a => a.Intent))
        {
            ends[message.Intent] = (await OutboxCalls.EndAsync(client, message.Location)).GetProperty("state").GetString()!;
        }

        return ends;
    }

    private static List<string> Judge(MessageLedger ledger, IEnumerable<AcceptedMessage> accepted, Dictionary<string, string> ends, bool deduplicates)
    {
        var effects = ledger.Read().Where(e => e.Intent is not null).ToLookup(e => e.Intent!, StringComparer.Ordinal);
        List<string> broken = [.. effects.Where(e => e.Count() > 1).Select(e => $"message {e.Key} has {e.Count()} effects")];
        foreach (var message in accepted.DistinctBy(a => a.Intent))
        {
            var (done, end) = (effects[message.Intent].Count(), ends[message.Intent]);
            var isTrue = end switch
            {
                "sent" => done == 1,
                "unknown" => !deduplicates,
                _ => false,
            };
            if (!isTrue)
            {
                broken.Add($"message {message.Intent} was accepted, ended as {end}, and has {done} effects");
            }
        }

        return broken;
    }

    // The first process is the stage's.
    private static ValueTask EndAsync(EgressStage stage, ProxyProcess proxy) => ReferenceEquals(proxy, stage.Proxy) ? default : proxy.DisposeAsync();

    private static async Task ReportAsync(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        if (Environment.GetEnvironmentVariable("SENDPROXY_CAMPAIGN_REPORT") is { Length: > 0 } report)
        {
            await File.AppendAllTextAsync(report, line + "\n", Token);
        }
    }

    private static SandboxOptions Vendor(bool deduplicates) => new()
    {
        Keys = [EgressStage.Key],
        Idempotency = new() { Mode = deduplicates ? IdempotencyMode.Strict : IdempotencyMode.Ignored },
    };

    private static int Variable(string name, int fallback) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : fallback;
}
