using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using SendProxy.IntegrationTests.Egress;
using SendProxy.IntegrationTests.Webhooks;

namespace SendProxy.IntegrationTests.Campaigns;

// A container with the chart's memory limits under attack, beside real traffic that must go on. Short in every run; long by
// eng/campaign.sh memory, which sets the variables.
public sealed class MemoryCampaign
{
    private const int GatewayMiB = 256;
    private const int SidecarMiB = 192;
    private const int Megabytes = 8;
    private const int MaxTries = 5;

    // The bounds as if there were none: this must be seen failing.
    private const string Unbounded = "process: { maxBufferedBytes: 16GiB, maxInFlight: 100000 }";
    private const string UnboundedListen = "maxConnections: { egress: 100000, webhooks: 100000, perAddress: 100000 }, headersTimeout: 2m, dataRateWindow: 5m, minDataRate: 0B, responseStall: 1h,";

    private static readonly TimeSpan For = TimeSpan.FromSeconds(Variable("SENDPROXY_CAMPAIGN_SECONDS", 4));

    // Part of the attack's connections: the short form shares the machine with other tests.
    private static readonly int Scale = Variable("SENDPROXY_CAMPAIGN_SCALE", 1);

    // Of a sender, for one try.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> GatewayAttacks => ["bodies", "heads", "elsewhere", "trickle", "all"];

    public static TheoryData<string> SidecarAttacks => ["bodies", "heads", "trickle", "readers", "all"];

    [Theory]
    [MemberData(nameof(GatewayAttacks))]
    public async Task Gateway_UnderAttack_GoesOnTakingWebhooks(string attack)
    {
        var run = await GatewayAsync(attack, "", "", Scale);

        Assert.True(run.IsGood, run.ToString());
    }

    [Theory]
    [MemberData(nameof(SidecarAttacks))]
    public async Task Sidecar_UnderAttack_GoesOnSending(string attack)
    {
        var run = await SidecarAsync(attack, "", "", Scale);

        Assert.True(run.IsGood, run.ToString());
    }

    // The negative controls: the same without bounds dies, or fails its callers, and is seen doing it.
    [Fact]
    public async Task Gateway_WithoutBounds_IsCaught()
    {
        var run = await GatewayAsync("control: bodies", Unbounded, UnboundedListen, Scale);

        Assert.False(run.IsGood, run.ToString());
    }

    [Fact]
    public async Task Sidecar_WithoutBounds_IsCaught()
    {
        var run = await SidecarAsync("control: all", Unbounded, UnboundedListen, Scale);

        Assert.False(run.IsGood, run.ToString());
    }

    private static async Task<Run> GatewayAsync(string attack, string more, string listen, int scale)
    {
        await using var application = await Destination.StartAsync(Token);
        using var folder = new ProxyFolder().Write("vendor", Vendor.Secret).Write("own", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").Configure($$"""
            version: 1
            roles: [webhooks, worker]
            listen: { {{listen}} webhooks: ["127.0.0.1:0"], metrics: ["127.0.0.1:0"] }
            journal: { path: journal.db, allowEphemeral: true, minimum: memory }
            webhooks:
              sources: { sendapi: { preset: sendapi, secrets: [{ file: vendor }] } }
              subscribers: { app: { url: "{{application.Address}}hooks", signWith: [{ file: own }] } }
            {{more}}
            """);
        MemoryAttack[] attacks = attack.Split(' ')[^1] switch
        {
            "bodies" => [MemoryAttack.Bodies(200 * scale, "/webhooks/sendapi")],
            "heads" => [MemoryAttack.Heads(3000, "/webhooks/sendapi")],
            "elsewhere" => [MemoryAttack.Heads(3000, "/webhooks/sendapi") with { From = IPAddress.Parse("127.0.0.2") }],
            "trickle" => [MemoryAttack.Trickle(200 * scale, "/webhooks/sendapi")],
            _ => [MemoryAttack.Bodies(200 * scale, "/webhooks/sendapi"), MemoryAttack.Heads(1000, "/webhooks/sendapi"), MemoryAttack.Trickle(200 * scale, "/webhooks/sendapi")],
        };
        return await RunAsync($"gateway {GatewayMiB} MiB, {attack}", GatewayMiB, folder, "webhooks", attacks, async (proxy, number) =>
        {
            using var vendor = new Vendor(proxy.Address("webhooks"));
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
            patience.CancelAfter(Patience);
            using var answer = await vendor.SendAsync(Vendor.Event(number), $"msg_{number}", patience.Token);
            return answer.StatusCode == HttpStatusCode.OK ? null : $"{(int)answer.StatusCode} {answer.Header("SendProxy-Error")}";
        });
    }

    private static async Task<Run> SidecarAsync(string attack, string more, string listen, int scale)
    {
        await using var vendor = await Destination.StartAsync(Token, answer: LargeOrSmallAsync);
        using var folder = new ProxyFolder().Write("key", EgressStage.Key).Configure(EgressStage.Config(vendor.Address, listen: listen.TrimEnd(','), more: $$"""
            roles: [egress]
            routes: [{ name: all, upstream: sendapi, match: { methods: [GET, POST], prefix: /v1/ } }]
            {{more}}
            """));
        MemoryAttack[] attacks = attack switch
        {
            "control: all" => [MemoryAttack.Bodies(400, "/v1/sms/send"), MemoryAttack.Heads(2000, "/v1/sms/send")],
            "bodies" => [MemoryAttack.Bodies(64 * scale, "/v1/sms/send")],
            "heads" => [MemoryAttack.Heads(3000, "/v1/sms/send")],
            "trickle" => [MemoryAttack.Trickle(200 * scale, "/v1/sms/send")],
            "readers" => [MemoryAttack.SlowReaders(64 * scale, "/v1/large")],
            _ => [MemoryAttack.Bodies(64 * scale, "/v1/sms/send"), MemoryAttack.Heads(1000, "/v1/sms/send"), MemoryAttack.Trickle(100 * scale, "/v1/sms/send"), MemoryAttack.SlowReaders(64 * scale, "/v1/large")],
        };
        using var client = new HttpClient { Timeout = Patience };
        return await RunAsync($"sidecar {SidecarMiB} MiB, {attack}", SidecarMiB, folder, "egress", attacks, async (proxy, _) =>
        {
            using var content = new StringContent(EgressStage.Sms, System.Text.Encoding.UTF8, "application/json");
            using var answer = await client.PostAsync(new Uri(proxy.Address("egress"), "/v1/sms/send"), content, Token);
            return answer.StatusCode == HttpStatusCode.Accepted ? null : $"{(int)answer.StatusCode} {answer.Header("SendProxy-Error")}";
        });
    }

    private static async Task LargeOrSmallAsync(Received request, HttpContext context)
    {
        context.Response.StatusCode = request.Method == "GET" ? 200 : 202;
        var megabyte = new byte[1 << 20];
        for (var i = 0; request.Method == "GET" && i < Megabytes; i++)
        {
            await context.Response.Body.WriteAsync(megabyte, context.RequestAborted);
        }
    }

    private static async Task<Run> RunAsync(
        string name, int mebibytes, ProxyFolder folder, string listener, MemoryAttack[] attacks, Func<ProxyProcess, int, Task<string?>> send)
    {
        var (group, reason) = MemoryCgroup.TryCreate(mebibytes);
        Assert.SkipWhen(group is null, reason);
        using (group)
        {
            await using var proxy = await ProxyProcess.StartAsync(folder, group!.Before, Token);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
            var attacking = Task.WhenAll(attacks.Select(a => a.RunAsync(proxy.Address(listener), stop.Token)));
            var run = await TrafficAsync(name, proxy, send);
            await stop.CancelAsync();
            var made = await attacking.WaitAsync(ProxyProcess.Guard, Token);
            run = run with { Attackers = attacks.Sum(a => a.Connections), Attempts = made.Sum(), MaxUsage = group.MaxUsage, IsAlive = !proxy.HasExited, OutOfMemory = proxy.Output.Count(l => l.Contains("OutOfMemory", StringComparison.Ordinal)) };
            await proxy.KillIfRunningAsync();
            TestContext.Current.TestOutputHelper?.WriteLine(run.ToString());
            if (Environment.GetEnvironmentVariable("SENDPROXY_CAMPAIGN_REPORT") is { Length: > 0 } report)
            {
                await File.AppendAllTextAsync(report, run + "\n", Token);
            }

            return run;
        }
    }

    // As real senders do: each message again after a refusal, some times.
    private static async Task<Run> TrafficAsync(string name, ProxyProcess proxy, Func<ProxyProcess, int, Task<string?>> send)
    {
        var start = TimeProvider.System.GetTimestamp();
        var failed = new ConcurrentQueue<string>();
        var took = new ConcurrentQueue<TimeSpan>();
        var again = 0;
        var sending = new List<Task>();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        for (var number = 0; TimeProvider.System.GetElapsedTime(start) < For && !proxy.HasExited; number++)
        {
            await timer.WaitForNextTickAsync(Token);
            sending.Add(SendAsync(number));
        }

        await Task.WhenAll(sending);
        return new Run(name, sending.Count, again, failed, [.. took.Order()]);

        async Task SendAsync(int number)
        {
            var began = TimeProvider.System.GetTimestamp();
            string? failure = null;
            for (var tries = 1; tries <= MaxTries; tries++)
            {
                try
                {
                    failure = await send(proxy, number);
                }
                catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !Token.IsCancellationRequested)
                {
                    failure = e.InnerException?.Message ?? e.Message;
                }

                if (failure is null)
                {
                    took.Enqueue(TimeProvider.System.GetElapsedTime(began));
                    return;
                }

                Interlocked.Increment(ref again);
                await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, Token);
            }

            failed.Enqueue(failure!);
        }
    }

    private static int Variable(string name, int fallback) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : fallback;

    /// <param name="Again">Tries that were refused or failed, and were repeated by the sender.</param>
    /// <param name="Failed">Messages that none of their tries brought through.</param>
    private sealed record Run(string Name, int Sent, int Again, IReadOnlyCollection<string> Failed, TimeSpan[] Took)
    {
        public int Attackers { get; init; }

        public long Attempts { get; init; }

        public long MaxUsage { get; init; }

        public bool IsAlive { get; init; }

        /// <summary>Log lines that tell of memory that could not be had.</summary>
        public int OutOfMemory { get; init; }

        public bool IsGood => IsAlive && Failed.Count == 0 && OutOfMemory == 0;

        public override string ToString() => string.Create(CultureInfo.InvariantCulture,
            $"{Name}: {(IsAlive ? "alive" : "DEAD")}, {OutOfMemory} times out of memory; {Attackers} attackers made {Attempts} connections; of {Sent} messages {Failed.Count} failed, {Again} tries repeated; p50 {Ms(0.5)}, p99 {Ms(0.99)} ms; at most {MaxUsage / 1048576} MiB in use{(Failed.Count == 0 ? "" : $"; {string.Join(", ", Failed.Distinct().Take(3))}")}");

        private string Ms(double share) =>
            Took.Length == 0 ? "-" : Took[Math.Min(Took.Length - 1, (int)(Took.Length * share))].TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);
    }
}
