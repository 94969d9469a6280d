using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using SendProxy.IntegrationTests.Egress;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Outbox;

// The outbox end to end: the real process, a real file, a simulated vendor with a ledger of its effects.
public class OutboxTests
{
    private const string Journal = "journal: { path: outbox.db, allowEphemeral: true, minimum: memory }\noutbox: { retry: { baseDelay: 20ms, maxDelay: 200ms }, rampUp: 0s }";
    private static readonly (string, string) Async = ("Prefer", "respond-async");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RespondAsync_IsAcceptedAtOnceAndSentOnce()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);

        using var accepted = await stage.SendAsync(headers: [Async, ("SendProxy-Reference", "order-1")]);
        var body = await accepted.Content.ReadFromJsonAsync<JsonElement>(Token);
        var sent = await OutboxCalls.EndAsync(stage, accepted);

        Assert.Equal(
            (HttpStatusCode.Accepted, "respond-async", "no"), (accepted.StatusCode, accepted.Header("Preference-Applied"), accepted.Header("SendProxy-Sent")));
        Assert.Contains(accepted.Header("SendProxy-Durability"), new[] { "fsync", "memory" });
        Assert.Equal($"/sendproxy/outbox/{body.GetProperty("id").GetString()}", accepted.Headers.Location?.OriginalString);
        Assert.Equal(
            ("sent", "yes", "order-1", 1, 202),
            (sent.GetProperty("state").GetString(), sent.GetProperty("sent").GetString(), sent.GetProperty("reference").GetString(),
                sent.GetProperty("attempts").GetInt32(), sent.GetProperty("response").GetProperty("status").GetInt32()));
        Assert.StartsWith("msg_", sent.GetProperty("messageId").GetString(), StringComparison.Ordinal);
        Assert.Equal(sent.GetProperty("messageId").GetString(), sent.GetProperty("response").GetProperty("body").GetProperty("id").GetString());
        Assert.Equal(1, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task QueueRoute_WithoutAPreference_IsAccepted()
    {
        await using var stage = await EgressStage.SetAsync(
            more: Journal + "\nroutes: [{ name: sms, upstream: sendapi, match: { path: /v1/sms/send }, mode: queue }]");

        using var accepted = await stage.SendAsync();
        var sent = await OutboxCalls.EndAsync(stage, accepted);

        Assert.Equal((HttpStatusCode.Accepted, "", "sent"), (accepted.StatusCode, accepted.Header("Preference-Applied"), sent.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task RespondAsync_WithoutAJournal_IsSentAtOnce()
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync(headers: Async);

        Assert.Equal(("", "yes", "1"), (answer.Header("Preference-Applied"), answer.Header("SendProxy-Sent"), answer.Header("SendProxy-Attempts")));
    }

    [Fact]
    public async Task NotBefore_WithoutAJournal_IsRefusedRatherThanSentTooEarly()
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync(headers: ("SendProxy-Not-Before", "1h"));

        await answer.AssertProblemAsync(HttpStatusCode.BadRequest, "message_terms_invalid", "no");
        Assert.Equal(0, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task SameKey_Again_IsTheSameMessage()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);

        using var first = await stage.SendAsync(headers: [Async, ("Idempotency-Key", "order-1")]);
        using var again = await stage.SendAsync(headers: [Async, ("Idempotency-Key", "order-1")]);
        using var other = await stage.SendAsync(EgressStage.Sms.Replace("Hello", "Bye", StringComparison.Ordinal), headers: [Async, ("Idempotency-Key", "order-1")]);
        await OutboxCalls.EndAsync(stage, first);

        Assert.Equal((first.Headers.Location, "true"), (again.Headers.Location, again.Header("Idempotency-Replayed")));
        await other.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "idempotency_key_reused", "no");
        Assert.Equal(1, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task SameKey_ThenAtOnce_HasOneEffectAndTheSameAnswer()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);

        using var accepted = await stage.SendAsync(headers: [Async, ("Idempotency-Key", "order-1")]);
        var stored = await OutboxCalls.EndAsync(stage, accepted);
        using var direct = await stage.SendAsync(headers: ("Idempotency-Key", "order-1"));
        var answer = await direct.Content.ReadFromJsonAsync<JsonElement>(Token);

        Assert.Equal(("true", stored.GetProperty("messageId").GetString()), (direct.Header("Idempotency-Replayed"), answer.GetProperty("id").GetString()));
        Assert.Equal(1, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task VendorRefuses_IsFailedWithItsAnswer()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);

        using var accepted = await stage.SendAsync("""{"from":"Shop","text":"nobody"}""", headers: Async);
        var failed = await OutboxCalls.EndAsync(stage, accepted);

        Assert.Equal(("failed", "no", "refused"), (failed.GetProperty("state").GetString(), failed.GetProperty("sent").GetString(), failed.GetProperty("reason").GetString()));
        Assert.InRange(failed.GetProperty("response").GetProperty("status").GetInt32(), 400, 422);
    }

    [Fact]
    public async Task ExpiredBeforeItsTime_IsNeverSent()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal, upstream: "retry: { attempts: 1 }", address: new Uri($"http://127.0.0.1:{Destination.ReservePort()}"));

        using var accepted = await stage.SendAsync(headers: [Async, ("SendProxy-Expires", "2s")]);
        var expired = await OutboxCalls.EndAsync(stage, accepted);

        Assert.Equal(("expired", "no"), (expired.GetProperty("state").GetString(), expired.GetProperty("sent").GetString()));
    }

    [Fact]
    public async Task Killed_AfterAcceptance_IsSentOnceByTheNextProcess()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal, upstream: "retry: { attempts: 1 }, timeouts: { attempt: 5s }");
        var accepted = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => stage.SendAsync(headers: [Async, ("X-Sandbox-Fault", "delay;ms=300")])));
        await stage.Vendor.Ledger.ReachAsync(1, Token);
        await stage.Proxy.KillAsync();

        await using var next = await ProxyProcess.StartAsync(stage.Folder, Token);
        using var client = new HttpClient { BaseAddress = next.Address("egress") };
        foreach (var one in accepted)
        {
            Assert.Equal(HttpStatusCode.Accepted, one.StatusCode);
            Assert.Equal("sent", (await OutboxCalls.EndAsync(client, one.Headers.Location!)).GetProperty("state").GetString());
            one.Dispose();
        }

        Assert.Equal(20, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Killed_InTheMiddle_WithoutDeduplication_IsUnknownAndNotSentAgain()
    {
        await using var stage = await EgressStage.SetAsync(
            more: Journal, upstream: "idempotency: { carrier: none }, timeouts: { attempt: 20s }",
            vendor: new SandboxOptions { Keys = [EgressStage.Key], Idempotency = new() { Mode = Sandbox.Idempotency.IdempotencyMode.Ignored } });
        using var accepted = await stage.SendAsync(headers: [Async, ("X-Sandbox-Fault", "delay;ms=10000")]);
        await stage.Vendor.Ledger.ReachAsync(1, Token);
        await stage.Proxy.KillAsync();

        await using var next = await ProxyProcess.StartAsync(stage.Folder, Token);
        using var client = new HttpClient { BaseAddress = next.Address("egress") };
        var unknown = await OutboxCalls.EndAsync(client, accepted.Headers.Location!);

        Assert.Equal(("unknown", "maybe", "process_ended"), (unknown.GetProperty("state").GetString(), unknown.GetProperty("sent").GetString(), unknown.GetProperty("reason").GetString()));
        Assert.Equal(1, stage.Vendor.Ledger.Effects);
    }
}

/// <summary>What tests ask of stored messages.</summary>
internal static class OutboxCalls
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <returns>The message once it has ended.</returns>
    public static Task<JsonElement> EndAsync(EgressStage stage, HttpResponseMessage accepted) => EndAsync(stage.Client, accepted.Headers.Location!);

    public static async Task<JsonElement> EndAsync(HttpClient client, Uri location)
    {
        while (true)
        {
            var message = await client.GetFromJsonAsync<JsonElement>(new Uri($"{location}?wait=20s", UriKind.Relative), Token);
            if (message.GetProperty("state").GetString() is "sent" or "failed" or "unknown" or "expired" or "discarded")
            {
                return message;
            }
        }
    }
}
