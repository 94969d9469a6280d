using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Sandbox.Server;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Tests.Sandbox;

public class MessageLifeTests
{
    private const string WhatsApp = """{"session_id":"wa_main","to":"+491701234567","type":"text","text":"x"}""";

    [Theory]
    [InlineData("webhook-out-of-order", "message.delivered@0 message.sent@50 message.queued@200")]
    [InlineData("webhook-delivered-skipped", "message.queued@0 message.sent@50 message.read@400")]
    [InlineData("webhook-never-delivered", "message.queued@0 message.sent@50")]
    [InlineData("message-read", "message.queued@0 message.sent@50 message.delivered@200 message.read@400")]
    [InlineData("message-failed", "message.queued@0 message.sent@50 message.failed@200")]
    [InlineData("bounce-hard", "message.queued@0 message.sent@50 email.bounced@200")]
    [InlineData("complained", "message.queued@0 message.sent@50 message.delivered@200 email.complained@400")]
    [InlineData("opts-out", "message.queued@0 message.sent@50 message.delivered@200 contact.opted_out@400")]
    [InlineData("session-lies", "message.queued@0")]
    public async Task Events_OfFault_ComeAtTheirTimes(string fault, string plan)
    {
        var time = new FakeTimeProvider();
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await StartAsync(receiver, time);
        await client.StatusAsync(fault: fault);
        foreach (var step in plan.Split(' '))
        {
            var (type, at) = (step.Split('@')[0], int.Parse(step.Split('@')[1], CultureInfo.InvariantCulture));
            time.Advance(time.Start.AddMilliseconds(at) - time.GetUtcNow());

            Assert.Equal(type, (await receiver.NextAsync()).Type);
        }

        Assert.True(receiver.IsEmpty);
    }

    [Theory]
    [InlineData("webhook-doubled", 1)]
    [InlineData("webhook-doubled-new-id", 2)]
    public async Task Events_Doubled_HaveOneIdOrTwo(string fault, int ids)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await StartAsync(receiver);

        await client.StatusAsync(fault: fault);
        var received = await receiver.TakeAsync(6);

        Assert.All(received.GroupBy(r => r.Type), g => Assert.Equal(ids, g.Select(r => r.Id).Distinct().Count()));
        Assert.All(received.GroupBy(r => r.Type), g => Assert.Equal(2, g.Count()));
    }

    [Fact]
    public async Task Events_BeforeAnswer_HaveAllArrivedWithThe202()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var gate = new TaskCompletionSource();
        receiver.Gate = gate.Task;
        await using var client = await StartAsync(receiver);

        var sending = client.SendAsync(fault: "webhook-before-answer");
        var received = await receiver.TakeAsync(3);
        Assert.False(sending.IsCompleted);
        gate.SetResult();
        using var response = await sending;

        Assert.Equal(3, received.Select(r => r.Type).Distinct().Count());
        Assert.Equal(202, (int)response.StatusCode);
    }

    [Fact]
    public async Task Events_UnknownId_NameAnotherMessage()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await StartAsync(receiver);

        using var response = await client.SendAsync(fault: "webhook-unknown-id");
        var received = await receiver.NextAsync();

        Assert.NotEqual(
            (await SandboxClient.JsonAsync(response)).GetProperty("id").GetString(),
            received.Json.GetProperty("data").GetProperty("message_id").GetString());
    }

    [Fact]
    public async Task Events_Batched_AreOneArrayWithOneSignature()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await StartAsync(receiver);

        await client.StatusAsync(fault: "webhook-batched");
        var received = await receiver.NextAsync();

        Assert.Equal(
            ["message.queued", "message.sent", "message.delivered"],
            received.Json.EnumerateArray().Select(e => e.GetProperty("type").GetString()!));
        Assert.Equal(Signature(received), received.Headers["webhook-signature"]);
    }

    [Theory]
    [InlineData("webhook-never-delivered", true, 0, 0)]
    [InlineData("webhook-bad-signature", false, 0, 0)]
    [InlineData("webhook-stale-timestamp", true, -25, 0)]
    [InlineData("webhook-late", true, 0, -25)]
    public async Task Events_OfFault_AreSignedAndDatedByIt(string fault, bool fits, int signedHours, int createdHours)
    {
        var time = new FakeTimeProvider();
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await StartAsync(receiver, time);

        await client.StatusAsync(fault: fault);
        var received = await receiver.NextAsync();

        Assert.Equal(fits, Signature(received) == received.Headers["webhook-signature"]);
        Assert.Equal(
            time.GetUtcNow().AddHours(signedHours).ToUnixTimeSeconds().ToString(
                CultureInfo.InvariantCulture),
            received.Headers["webhook-timestamp"]);
        Assert.Equal(
            time.GetUtcNow().AddHours(createdHours), received.Json.GetProperty("created_at").GetDateTimeOffset());
    }

    [Fact]
    public async Task FalseDisconnect_Events_SayDisconnectedThenConnected()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await StartAsync(receiver);

        await client.StatusAsync(WhatsApp, fault: "false-disconnect;ms=1", path: "/v1/whatsapp/send");
        var received = await receiver.TakeAsync(5);

        Assert.Contains("session.connected", received.Select(r => r.Type));
        var lost = received.Single(r => r.Type == "session.disconnected").Json.GetProperty("data");
        Assert.Equal("wa_main", lost.GetProperty("session_id").GetString());
        Assert.Equal("connection_lost", lost.GetProperty("reason").GetString());
        Assert.True(lost.GetProperty("recoverable").GetBoolean());
        Assert.Equal(1, client.Server.Ledger.Effects);
    }

    [Theory]
    [InlineData("message.failed", "error", """{"code":"undeliverable","permanent":true}""")]
    [InlineData("email.bounced", "bounce", """{"type":"hard","smtp_code":550}""")]
    [InlineData("anything.else", "error", "null")]
    public async Task Emit_Type_HasItsDetail(string type, string member, string json)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await StartAsync(receiver);

        client.Server.Events.Emit(new EventOrder(type));
        var received = await receiver.NextAsync();

        Assert.Equal(json, received.Json.GetProperty("data").GetProperty(member).GetRawText());
    }

    private static string Signature(Received received) => new WebhookSigner(
            SignatureForm.Standard, WebhookTarget.DefaultSecret)
        .Sign(
            received.Headers["webhook-id"],
            DateTimeOffset.FromUnixTimeSeconds(long.Parse(
                received.Headers["webhook-timestamp"], CultureInfo.InvariantCulture)),
            received.Body)
        .Single(h => h.Key == "webhook-signature").Value;

    private static Task<SandboxClient> StartAsync(WebhookReceiver receiver, TimeProvider? time = null) =>
        SandboxClient.StartAsync(
            new SandboxOptions
            {
                Webhooks = new WebhookOptions
                {
                    Target = new WebhookTarget(receiver.Url, WebhookTarget.DefaultSecret),
                    SentAfter = TimeSpan.FromMilliseconds(time is null ? 2 : 50),
                    DeliveredAfter = TimeSpan.FromMilliseconds(time is null ? 4 : 200),
                },
            },
            time);
}
