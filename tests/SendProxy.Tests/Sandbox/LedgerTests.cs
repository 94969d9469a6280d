using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Keys;
using SendProxy.Sandbox.Recording;
using SendProxy.Sandbox.Server;

namespace SendProxy.Tests.Sandbox;

public class LedgerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Entry_OfASend_SaysWhatWasSentAndNotTheKey()
    {
        await using var client = await SandboxClient.StartAsync();
        await client.StatusAsync(key: "k-1");

        var ledger = await client.GetAsync("/sandbox/ledger");

        var entry = ledger.GetProperty("entries").EnumerateArray().Single();
        Assert.Equal("k-1", entry.GetProperty("idempotency_key").GetString());
        Assert.Equal("one", entry.GetProperty("intent").GetString());
        Assert.Equal("/v1/sms/send", entry.GetProperty("path").GetString());
        Assert.Equal(64, entry.GetProperty("body_sha256").GetString()!.Length);
        Assert.Equal(ApiKeys.Fingerprint(SandboxClient.Key), entry.GetProperty("key_fingerprint").GetString());
        Assert.DoesNotContain(SandboxClient.Key, ledger.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_OfAnyStatus_AreListedWithHeaderNamesAlone()
    {
        await using var client = await SandboxClient.StartAsync();
        await client.StatusAsync(key: "k-1");
        await client.StatusAsync("{", path: "/v1/none");

        var requests = await client.GetAsync("/sandbox/requests");

        var entries = requests.GetProperty("entries").EnumerateArray().ToArray();
        Assert.Equal([202, 404], entries.Select(e => e.GetProperty("status").GetInt32()));
        Assert.Contains(
            "Idempotency-Key", entries[0].GetProperty("headers").EnumerateArray().Select(h => h.GetString()));
        Assert.DoesNotContain(SandboxClient.Key, requests.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Since_LastNumber_YieldsOnlyWhatFollows()
    {
        await using var client = await SandboxClient.StartAsync();
        for (var i = 0; i < 5; i++) { await client.StatusAsync(); }

        var first = await client.GetAsync("/sandbox/ledger?limit=3");
        var rest = await client.GetAsync($"/sandbox/ledger?since={first.GetProperty("next").GetInt64()}");

        Assert.Equal([1, 2, 3], Numbers(first));
        Assert.Equal([4, 5], Numbers(rest));
    }

    [Fact]
    public async Task Delete_Both_EmptiesEachAlone()
    {
        await using var client = await SandboxClient.StartAsync();
        await client.StatusAsync();

        using var ledger = await client.ControlAsync(HttpMethod.Delete, "/sandbox/ledger");
        Assert.Equal(0, client.Server.Ledger.Effects);
        Assert.Equal(1, client.Server.Requests.Arrived);

        using var requests = await client.ControlAsync(HttpMethod.Delete, "/sandbox/requests");
        Assert.Equal(0, client.Server.Requests.Arrived);
        Assert.Empty(client.Server.Requests.Read());
    }

    [Fact]
    public async Task Summary_TwoEffectsOfOneIntentAndKey_CountsBoth()
    {
        await using var client = await SandboxClient.StartAsync(
            new SandboxOptions { Idempotency = new() { Mode = IdempotencyMode.Ignored } });
        await client.StatusAsync(key: "a");
        await client.StatusAsync(key: "a");
        await client.StatusAsync(SandboxClient.SmsBody(intent: "two"), "b");

        var summary = await client.GetAsync("/sandbox/ledger/summary");

        Assert.Equal(3, summary.GetProperty("effects").GetInt32());
        foreach (var name in (string[])["intents", "idempotency_keys"])
        {
            var counts = summary.GetProperty(name);
            Assert.Equal(2, counts.GetProperty("distinct").GetInt32());
            Assert.Equal(1, counts.GetProperty("with_more_than_one_effect").GetInt32());
            Assert.Equal(1, counts.GetProperty("surplus_effects").GetInt32());
        }

        Assert.Equal(2, summary.GetProperty("intents").GetProperty("samples").GetProperty("one").GetInt32());
    }

    [Fact]
    public async Task Summary_BeyondTheMemory_StaysComplete()
    {
        await using var client = await SandboxClient.StartAsync(
            new SandboxOptions { Memory = new MemoryOptions { MaxLedgerEntries = 2, MaxTrackedNames = 2 } });
        for (var i = 0; i < 4; i++) { await client.StatusAsync(SandboxClient.SmsBody(intent: $"i{i}")); }

        var summary = client.Server.Ledger.Summary();

        Assert.Equal((4, 2, 2), (summary.Effects, summary.Held, summary.Dropped));
        Assert.Equal((2, 2), (summary.Intents.Distinct, summary.Intents.Untracked));
        Assert.Equal([3L, 4L], client.Server.Ledger.Read().Select(e => e.Number));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(256)]
    [InlineData(300)]
    [InlineData(1000)]
    public void BoundedLog_AnyNumberOfEntries_HoldsTheNewest(int count)
    {
        var log = new BoundedLog<long>(300);
        for (var i = 0; i < count; i++) { log.Append(0, static (number, _) => number); }

        Assert.Equal(Enumerable.Range(1, count).TakeLast(300).Select(n => (long)n), log.Read());
        Assert.Equal(Math.Max(0, count - 300), log.Dropped);
    }

    [Fact]
    public async Task BoundedLog_Reach_EndsWithThatEntry()
    {
        var log = new BoundedLog<long>(2);
        var reached = log.ReachAsync(2, Token);
        log.Append(0, static (number, _) => number);
        Assert.False(reached.IsCompleted);

        log.Append(0, static (number, _) => number);

        await reached;
    }

    private static IEnumerable<int> Numbers(System.Text.Json.JsonElement page) =>
        page.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("number").GetInt32());
}
