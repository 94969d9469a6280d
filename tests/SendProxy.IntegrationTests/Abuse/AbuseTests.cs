using System.Collections.Concurrent;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Abuse;

/// <summary>
/// Raw requests that a page, another tenant or a confused program could send. Each has the answer it must get; none may reach the
/// vendor, and the proxy goes on serving.
/// </summary>
public sealed class AbuseTests : IAsyncLifetime
{
    private const int CasesMin = 150;
    private const int AtOnce = 16;
    private static readonly Dictionary<string, AbuseCase> Cases =
        FramingCases.All.Concat(TargetCases.All).Concat(HeadCases.All).Concat(ListenerCases.All).ToDictionary(c => c.Name, StringComparer.Ordinal);

    private EgressStage _stage = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _stage = await EgressStage.SetAsync(upstream: "routes: [{ name: sms, maxStreamedBody: 0B }]", listen: "headersTimeout: 1s");

    public ValueTask DisposeAsync() => _stage.DisposeAsync();

    [Fact]
    public async Task Abuse_EveryCase_GetsItsAnswerAndNothingReachesTheVendor()
    {
        var wrong = new ConcurrentQueue<string>();
        await Parallel.ForEachAsync(Cases.Values, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Token }, async (abuse, token) =>
        {
            var answer = await Wire.AskAsync(Address(abuse.At), abuse.Bytes, abuse.Ends, token);
            if (answer != abuse.Answer)
            {
                wrong.Enqueue($"{abuse.Name}: {answer}, expected {abuse.Answer}");
            }
        });

        Assert.True(wrong.IsEmpty, $"{wrong.Count} of {Cases.Count}:\n{string.Join('\n', wrong)}");
        Assert.Equal((0L, 0L), (_stage.Vendor.Requests.Arrived, _stage.Vendor.Ledger.Effects));
        Assert.Equal("202", await Wire.AskAsync(Address(At.Egress), AbuseCase.GoodRequest, false, Token));
        Assert.Equal((1L, 1L), (_stage.Vendor.Requests.Arrived, _stage.Vendor.Ledger.Effects));
        Assert.InRange(Cases.Count, CasesMin, int.MaxValue);
    }

    // The other side: the guard refuses nothing that an honest client sends.
    [Fact]
    public async Task Harmless_EveryCase_ArrivesOnce()
    {
        var wrong = new List<string>();
        foreach (var harmless in HarmlessCases.All)
        {
            var before = _stage.Vendor.Ledger.Effects;
            var answer = await Wire.AskAsync(Address(At.Egress), harmless.Bytes, harmless.Ends, Token);
            if (answer != harmless.Answer || _stage.Vendor.Ledger.Effects != before + 1)
            {
                wrong.Add($"{harmless.Name}: {answer}, expected {harmless.Answer}; {_stage.Vendor.Ledger.Effects - before} effects");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal(_stage.Vendor.Ledger.Effects, _stage.Vendor.Requests.Arrived);
    }

    // At once, since each takes as long as the server waits: a second for heads here, five for bodies.
    [Fact]
    public async Task SlowSenders_AreCutOff()
    {
        string[] slow =
        [
            "P", "POST /v1/sms/send HT", "POST /v1/sms/send HTTP/1.1\r\n", "POST /v1/sms/send HTTP/1.1\r\nHost: localhost\r\nContent-Le",
            $"POST /v1/sms/send HTTP/1.1\r\nHost: localhost\r\n{AbuseCase.Length}\r\n{AbuseCase.Body[..^1]}",
            $"POST /v1/sms/send HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{AbuseCase.Chunked[..^2]}",
        ];

        var answers = await Task.WhenAll(slow.Select(bytes => Wire.AskAsync(Address(At.Egress), bytes, false, Token)));

        Assert.Equal(["408", "408", "408", "408", "408 body_incomplete", "408 body_incomplete"], answers);
        Assert.Equal((0L, 0L), (_stage.Vendor.Requests.Arrived, _stage.Vendor.Ledger.Effects));
    }

    private Uri Address(At at) => _stage.Proxy.Address(at.ToString().ToLowerInvariant());
}
