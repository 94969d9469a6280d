using System.Text;
using Microsoft.AspNetCore.Http;
using SendProxy.FanOut;
using SendProxy.Queueing;

namespace SendProxy.IntegrationTests.Webhooks;

/// <summary>What an attempt sends, and what becomes of the delivery after it.</summary>
public sealed class DeliveryTests : IAsyncLifetime
{
    private DeliveryUnderTest _test = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _test = await DeliveryUnderTest.OpenAsync();

    public async ValueTask DisposeAsync() => await _test.DisposeAsync();

    [Fact]
    public async Task Deliver_Accepted_SendsTheBytesSignedByEachKey()
    {
        await using var application = await Destination.StartAsync(Cancel);
        var id = await _test.StoreAsync("{ \"a\" : 1 }", ("Stripe-Signature", "t=1"), ("X-Note", "ä"));

        var outcome = await _test.DeliverAsync(_test.Subscriber(application.Address, "", DeliveryUnderTest.Key, DeliveryUnderTest.NextKey));

        var request = Assert.Single(application.Requests);
        var timestamp = request.Header("webhook-timestamp");
        Assert.Equal(DeliveryOutcome.Delivered, outcome);
        Assert.Equal("{ \"a\" : 1 }", Encoding.UTF8.GetString(request.Body));
        Assert.Equal(("evt_1", "t=1", "ä"), (request.Header("webhook-id"), request.Header("SendProxy-Original-Stripe-Signature"), request.Header("SendProxy-Original-X-Note")));
        Assert.Equal(
            string.Join(' ', Vendor.Sign(DeliveryUnderTest.Key, "evt_1", timestamp, request.Body), Vendor.Sign(DeliveryUnderTest.NextKey, "evt_1", timestamp, request.Body)),
            request.Header("webhook-signature"));
        Assert.Equal(ItemState.Done, (await _test.GetAsync(id)).State);
    }

    [Theory]
    [InlineData(500, null, 1)]
    [InlineData(400, null, 1)]
    [InlineData(302, null, 1)]
    [InlineData(503, "120", 120)]
    [InlineData(429, "Tue, 24 Nov 2026 07:01:30 GMT", 90)]
    [InlineData(503, "-5", 1)]
    public async Task Deliver_Refused_ComesAgainAfterTheLongerWait(int status, string? retryAfter, int seconds)
    {
        await using var application = await Destination.StartAsync(Cancel, answer: (_, context) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Date = "Tue, 24 Nov 2026 07:00:00 GMT";
            context.Response.Headers.RetryAfter = retryAfter;
            context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        });
        var id = await _test.StoreAsync();

        await _test.DeliverAsync(_test.Subscriber(application.Address));

        var item = await _test.GetAsync(id);
        Assert.Single(application.Requests);
        Assert.Equal((ItemState.Retrying, "refused", 1, status), (item.State, item.Reason, item.Attempts, item.Response!.Status));
        Assert.Equal(TimeSpan.FromSeconds(seconds), item.Due - _test.Time.GetUtcNow());
    }

    [Fact]
    public async Task Deliver_FailsForLongerThanRetryFor_IsDeadAndMayBeReplayed()
    {
        var status = 500;
        await using var application = await Destination.StartAsync(Cancel, answer: (_, context) =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        var subscriber = _test.Subscriber(application.Address, "retry: { for: 10s, baseDelay: 2s, maxDelay: 4s }");
        var id = await _test.StoreAsync();

        // Long before its first attempt: an outage of the proxy takes nothing of the time.
        _test.Time.Advance(TimeSpan.FromDays(4));
        while ((await _test.GetAsync(id)).State != ItemState.Dead)
        {
            Assert.True((await _test.GetAsync(id)).Due <= _test.Time.GetUtcNow().AddSeconds(10));
            await _test.DeliverAsync(subscriber);
            _test.Time.Advance(TimeSpan.FromSeconds(4));
        }

        Assert.InRange(application.Requests.Count, 2, 6);
        status = 200;
        Assert.True((await _test.Queue.ReplayAsync(EventEnvelope.Deliveries, id, new Replay(), Cancel)).IsDone);
        Assert.Equal(DeliveryOutcome.Delivered, await _test.DeliverAsync(subscriber));
        Assert.Single(application.Requests.Select(r => r.Header("webhook-id")).Distinct());
    }

    [Fact]
    public async Task Deliver_LocalRefusesTheConnection_CostsNoAttempt()
    {
        var id = await _test.StoreAsync();

        var outcome = await _test.DeliverAsync(_test.Subscriber(new Uri($"http://127.0.0.1:{Destination.ReservePort()}/")));

        var item = await _test.GetAsync(id);
        Assert.Equal(DeliveryOutcome.Unreachable, outcome);
        Assert.Equal((ItemState.Queued, 0), (item.State, item.Attempts));
    }

    [Fact]
    public async Task Deliver_PrivateAddressNotAllowed_IsRefusedBeforeConnecting()
    {
        var id = await _test.StoreAsync();

        var outcome = await _test.DeliverAsync(_test.Subscriber(new Uri("http://10.255.255.1:9/"), "", DeliveryUnderTest.Key));

        Assert.Equal(DeliveryOutcome.AddressRefused, outcome);
        Assert.Equal("address_refused", (await _test.GetAsync(id)).Reason);
    }

    [Fact]
    public async Task Deliver_AnswerLargerThanTheBound_IsDeliveredAllTheSame()
    {
        await using var application = await Destination.StartAsync(Cancel, answer: async (_, context) =>
        {
            var chunk = new byte[16 * 1024];
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
            }
        });
        await _test.StoreAsync();

        Assert.Equal(DeliveryOutcome.Delivered, await _test.DeliverAsync(_test.Subscriber(application.Address)));
    }

    [Fact]
    public async Task Deliver_NoAnswerInTime_IsTriedAgain()
    {
        var never = new TaskCompletionSource();
        await using var application = await Destination.StartAsync(Cancel, answer: (_, context) => never.Task.WaitAsync(context.RequestAborted));
        var id = await _test.StoreAsync();

        var delivering = _test.DeliverAsync(_test.Subscriber(application.Address, "timeout: 5s"));
        await application.WaitForAsync(1, Cancel);
        _test.Time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(DeliveryOutcome.TimedOut, await delivering);
        Assert.Equal("timed_out", (await _test.GetAsync(id)).Reason);
    }

    [Fact]
    public async Task Deliver_CutOffAtStop_GoesBack()
    {
        var never = new TaskCompletionSource();
        await using var application = await Destination.StartAsync(Cancel, answer: (_, context) => never.Task.WaitAsync(context.RequestAborted));
        using var cut = new CancellationTokenSource();
        var id = await _test.StoreAsync();

        var delivering = _test.DeliverUntilAsync(_test.Subscriber(application.Address), cut.Token);
        await application.WaitForAsync(1, Cancel);
        await cut.CancelAsync();

        Assert.Null(await delivering);
        Assert.Equal((ItemState.Retrying, "stopped"), ((await _test.GetAsync(id)).State, (await _test.GetAsync(id)).Reason));
    }

    [Fact]
    public async Task Loop_SubscriberGone_IsPausedAndAskedAgainAfterAnHour()
    {
        var calls = 0;
        await using var application = await Destination.StartAsync(Cancel, answer: (_, context) =>
        {
            context.Response.StatusCode = Interlocked.Increment(ref calls) == 1 ? StatusCodes.Status410Gone : 200;
            return Task.CompletedTask;
        });
        var heard = new Heard<SubscriberLoop>("Gone");
        var loop = _test.Loop(_test.Subscriber(application.Address, "concurrency: 1, timeout: 5m"), heard);
        using var stop = new CancellationTokenSource();
        await _test.StoreAsync("1");
        await _test.StoreAsync("2");

        var running = loop.RunAsync(stop.Token, CancellationToken.None);
        await heard.Once;

        var hold = Assert.Single((await _test.Queue.HoldsAsync(EventEnvelope.Deliveries, Cancel)).Value!);
        Assert.Equal(("app", SubscriberLoop.GoneReason), (hold.Name, hold.Reason));
        Assert.Single(application.Requests);

        _test.Time.Advance(TimeSpan.FromHours(1));
        await AdvanceUntilAsync(application.WaitForAsync(3, Cancel));
        await stop.CancelAsync();
        await running;
        await loop.DrainAsync();

        Assert.Empty((await _test.Queue.HoldsAsync(EventEnvelope.Deliveries, Cancel)).Value!);
        Assert.Equal(["1", "1", "2"], application.Requests.Select(r => Encoding.UTF8.GetString(r.Body)).Order());
    }

    // A loop may look at the clock before it is moved and set its timer after: then it waits for a little more of it.
    private async Task AdvanceUntilAsync(Task happened)
    {
        while (!happened.IsCompleted)
        {
            await happened.WaitAsync(TimeSpan.FromMilliseconds(250)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!happened.IsCompleted)
            {
                _test.Time.Advance(TimeSpan.FromSeconds(5));
            }
        }

        await happened;
    }
}
