using System.Collections.Concurrent;
using System.Globalization;
using SendProxy.IntegrationTests.Abuse;
using SendProxy.IntegrationTests.Campaigns.Clients;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Campaigns;

// What HTTP libraries send by default passes the local port, what browsers send for a page does not. Each round cuts the bytes
// at other places. Short in every run; long by eng/campaign.sh clients, which sets the variables.
public class ClientsCampaign
{
    private const int ClientsMin = 14;
    private const int AtOnce = 8;

    // Every name that a recorded request has, so that only its other headers decide; a rebound name stays unknown.
    private const string Hosts = "hosts: [localhost, 127.0.0.1, proxy.internal]";

    private static readonly string[] Offers =
        ["Upgrade", "HTTP2-Settings", "TE", "Expect", "Connection: Upgrade", "Accept-Encoding: gzip", "Accept-Encoding: deflate", "Keep-Alive", "Sec-", "Referer"];

    private static readonly int Rounds = Variable("SENDPROXY_CAMPAIGN_ROUNDS", 2);
    private static readonly int Seed = Variable("SENDPROXY_CAMPAIGN_SEED", 1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Clients_DefaultRequests_ArriveWithoutTheirOffers()
    {
        await using var vendor = new RawVendor(_ => RawVendor.Ok);
        await using var stage = await StageAsync(vendor, $"guard: {{ {Hosts} }}");

        var kept = await RunAsync(stage.Proxy.Address("egress"), RecordedRequest.Clients);

        Report("clients", RecordedRequest.Clients.Count * Rounds, kept);
        Assert.True(kept.Count == 0, string.Join('\n', kept));
        Assert.Equal(RecordedRequest.Clients.Count * Rounds, vendor.Heads.Count);
        Assert.DoesNotContain(vendor.Heads, head => Offers.Any(offer => head.Contains($"\r\n{offer}", StringComparison.OrdinalIgnoreCase)));
        Assert.InRange(RecordedRequest.Clients.Select(c => c.Name.Split(' ')[0]).Distinct(StringComparer.Ordinal).Count(), ClientsMin, int.MaxValue);
    }

    [Fact]
    public async Task Browsers_RequestsOfPages_NeverArrive()
    {
        await using var vendor = new RawVendor(_ => RawVendor.Ok);
        await using var stage = await StageAsync(vendor, $"guard: {{ {Hosts} }}");

        var wrong = await RunAsync(stage.Proxy.Address("egress"), RecordedRequest.Browsers);

        Report("browsers", RecordedRequest.Browsers.Count * Rounds, wrong);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Empty(vendor.Heads);
    }

    // The negative control of the first: a port that refuses every Sec-Fetch header and every offer of an upgrade keeps clients out.
    [Fact]
    public async Task Clients_PortThatRefusesOffers_IsCaught()
    {
        var port = (RawVendor?)null;
        await using var strict = port = new RawVendor(number => IsStrictlyRefused(port!.Heads[number - 1])
            ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
            : RawVendor.Ok);

        var kept = await RunAsync(strict.Address, [.. RecordedRequest.Clients.Where(c => !c.Bytes.Contains("chunked", StringComparison.Ordinal))], rounds: 1);

        Report("control: a port that refuses offers", RecordedRequest.Clients.Count, kept);
        Assert.Contains(kept, k => k.StartsWith("Node 20 fetch", StringComparison.Ordinal));
        Assert.Contains(kept, k => k.StartsWith("Java 17 HttpClient", StringComparison.Ordinal));
    }

    // The negative control of the second: a guard that lets browsers in lets pages in.
    [Fact]
    public async Task Browsers_GuardThatAllowsThem_IsCaught()
    {
        await using var vendor = new RawVendor(_ => RawVendor.Ok);
        await using var stage = await StageAsync(vendor, $"guard: {{ {Hosts}, browsers: allow }}");

        var wrong = await RunAsync(stage.Proxy.Address("egress"), RecordedRequest.Browsers, rounds: 1);

        Report("control: browsers: allow", RecordedRequest.Browsers.Count, wrong);
        Assert.Contains(wrong, w => w.StartsWith("Chromium", StringComparison.Ordinal));
        Assert.Contains(wrong, w => w.StartsWith("Firefox", StringComparison.Ordinal));
        Assert.NotEmpty(vendor.Heads);
    }

    private static Task<EgressStage> StageAsync(RawVendor vendor, string guard) => EgressStage.SetAsync(
        more: $$"""
            {{guard}}
            routes: [{ name: all, upstream: sendapi, match: { methods: [GET, POST], prefix: /v1/ } }]
            """,
        address: vendor.Address);

    private static async Task<IReadOnlyCollection<string>> RunAsync(Uri port, IReadOnlyList<RecordedRequest> requests, int? rounds = null)
    {
        var wrong = new ConcurrentQueue<string>();
        var runs = Enumerable.Range(0, (rounds ?? Rounds) * requests.Count);
        await Parallel.ForEachAsync(runs, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Token }, async (i, token) =>
        {
            var request = requests[i % requests.Count];
            var answer = await Wire.AskOnceAsync(port, Cut(request.Bytes, new Random(Seed + i)), token);
            if (request.Expected is { } expected ? answer != expected : answer != "200")
            {
                wrong.Enqueue($"{request.Name}: {answer}, expected {request.Expected ?? "200"}");
            }
        });
        return wrong;
    }

    // Where a head is cut must not matter: a client's bytes come in any pieces.
    private static string[] Cut(string bytes, Random random)
    {
        var at = random.Next(1, bytes.Length);
        var then = random.Next(at, bytes.Length);
        return [bytes[..at], bytes[at..then], bytes[then..]];
    }

    private static bool IsStrictlyRefused(string head) =>
        head.Contains("\r\nsec-fetch-", StringComparison.OrdinalIgnoreCase) || head.Contains("\r\nUpgrade:", StringComparison.OrdinalIgnoreCase);

    private static void Report(string name, int requests, IReadOnlyCollection<string> wrong)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{name}: {requests} requests, {wrong.Count} answered otherwise");
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        if (Environment.GetEnvironmentVariable("SENDPROXY_CAMPAIGN_REPORT") is { Length: > 0 } path)
        {
            File.AppendAllLines(path, [line]);
        }
    }

    private static int Variable(string name, int fallback) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : fallback;
}
