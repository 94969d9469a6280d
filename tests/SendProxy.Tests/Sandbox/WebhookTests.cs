using Microsoft.Extensions.Time.Testing;
using SendProxy.Sandbox.Server;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Tests.Sandbox;

public class WebhookTests
{
    private const string Shape =
        """
        {"id":"EVENT","type":"message.queued","created_at":"2000-01-01T00:00:00.000Z","api_version":"2026-01-01",
        "data":{"message_id":"MESSAGE","channel":"sms","to":"+491701234567","session_id":null,"status":"queued",
        "error":null,"metadata":{"intent":"one"}}}
        """;

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Event_OfSms_HasTheShapeOfTheContract()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await StartAsync(receiver);

        using var response = await client.SendAsync();
        var received = await receiver.NextAsync();

        var id = (await SandboxClient.JsonAsync(response)).GetProperty("id").GetString();
        Assert.Equal(
            Shape.Replace("EVENT", received.Id, StringComparison.Ordinal)
                .Replace("MESSAGE", id, StringComparison.Ordinal)
                .ReplaceLineEndings(""),
            System.Text.Encoding.UTF8.GetString(received.Body));
        Assert.Equal("application/json", received.Headers["Content-Type"]);
        Assert.Equal(Expected(received), received.Headers["webhook-signature"]);
    }

    [Fact]
    public async Task Life_OfAMessage_IsQueuedSentDelivered()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await StartAsync(receiver);
        await client.StatusAsync();

        Assert.Equal("message.queued", (await receiver.NextAsync()).Type);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal("message.sent", (await receiver.NextAsync()).Type);
        _time.Advance(TimeSpan.FromMilliseconds(149));
        Assert.True(receiver.IsEmpty);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("message.delivered", (await receiver.NextAsync()).Type);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.01)]
    public async Task Retries_OfARefusedEvent_FollowTheScheduleWithTheSameBytes(double scale)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Status = 503;
        await using var client = await StartAsync(receiver, scale);
        client.Server.Events.Emit(new EventOrder("account.balance_low"));
        var first = await receiver.NextAsync();
        await client.Server.Webhooks.ReachAsync(1, Token);

        var attempt = 1L;
        foreach (var seconds in (double[])[5, 30, 120, 600, 3600, 21600])
        {
            _time.Advance((TimeSpan.FromSeconds(seconds) * scale) - TimeSpan.FromMilliseconds(1));
            Assert.Equal(attempt, client.Server.Webhooks.Counts.Attempts);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            var again = await receiver.NextAsync();
            await client.Server.Webhooks.ReachAsync(++attempt, Token);
            Assert.Equal(first.Body, again.Body);
            Assert.Equal(first.Headers["webhook-id"], again.Headers["webhook-id"]);
        }

        Assert.Equal(1, client.Server.Webhooks.Counts.GivenUp);
        Assert.Equal(0, client.Server.Webhooks.Counts.Pending);
        Assert.All(client.Server.Webhooks.Read(), a => Assert.Equal((503, "refused"), (a.Status, a.Outcome)));
        Assert.Null(client.Server.Webhooks.Read()[^1].RetryAt);
    }

    [Theory]
    [InlineData(200, true)]
    [InlineData(201, false)]
    [InlineData(204, false)]
    [InlineData(302, false)]
    [InlineData(410, false)]
    public async Task Answer_OtherThan200_IsRetried(int status, bool isDelivered)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Status = status;
        await using var client = await StartAsync(receiver);

        client.Server.Events.Emit(new EventOrder("message.read"));
        await client.Server.Webhooks.ReachAsync(1, Token);

        Assert.Equal(isDelivered ? 0 : 1, client.Server.Webhooks.Counts.Pending);
    }

    [Fact]
    public async Task Answer_After5Seconds_IsATimeout()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var gate = new TaskCompletionSource();
        receiver.Gate = gate.Task;
        await using var client = await StartAsync(receiver);
        client.Server.Events.Emit(new EventOrder("message.read"));
        await receiver.NextAsync();

        _time.Advance(TimeSpan.FromSeconds(5));
        await client.Server.Webhooks.ReachAsync(1, Token);

        Assert.Equal("timeout", client.Server.Webhooks.Read()[0].Outcome);
        gate.SetResult();
    }

    [Fact]
    public async Task Target_Unreachable_IsRecordedAndReachedAfterAChange()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await StartAsync(receiver);
        client.Server.Webhooks.Target = new WebhookTarget(new Uri("http://127.0.0.1:1/"), WebhookTarget.DefaultSecret);
        client.Server.Events.Emit(new EventOrder("message.read"));
        await client.Server.Webhooks.ReachAsync(1, Token);
        Assert.Equal("unreachable", client.Server.Webhooks.Read()[0].Outcome);

        client.Server.Webhooks.Target = new WebhookTarget(receiver.Url, "secret", SignatureForm.Stripe);
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.StartsWith("t=", (await receiver.NextAsync()).Headers["Stripe-Signature"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Emit_BeyondMaxPending_IsDroppedAndCounted()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var gate = new TaskCompletionSource();
        receiver.Gate = gate.Task;
        await using var client = await SandboxClient.StartAsync(new SandboxOptions
        {
            Webhooks = new WebhookOptions
            {
                Target = new WebhookTarget(receiver.Url, WebhookTarget.DefaultSecret),
                MaxPending = 3,
            },
        });

        Assert.Equal(3, client.Server.Events.Emit(new EventOrder("message.read") { Count = 5 }));

        Assert.Equal(1, client.Server.Webhooks.Counts.Dropped);
        gate.SetResult();
    }

    private static string Expected(Received received) => new WebhookSigner(
            SignatureForm.Standard, WebhookTarget.DefaultSecret)
        .Sign(received.Id, DateTimeOffset.FromUnixTimeSeconds(946684800), received.Body)
        .Single(h => h.Key == "webhook-signature").Value;

    private Task<SandboxClient> StartAsync(WebhookReceiver receiver, double scale = 1) => SandboxClient.StartAsync(
        new SandboxOptions
        {
            Webhooks = new WebhookOptions
            {
                Target = new WebhookTarget(receiver.Url, WebhookTarget.DefaultSecret),
                TimeScale = scale,
            },
        },
        _time);
}
