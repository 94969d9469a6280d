using System.Globalization;
using Microsoft.AspNetCore.Http;
using SendProxy.IntegrationTests.Webhooks;
using SendProxy.Queueing;

namespace SendProxy.IntegrationTests.Issues;

/// <summary>A nonsense Retry-After of a subscriber costs it one wait of the settings: never the event, never days.</summary>
public sealed class SubscriberRetryAfterTests : IAsyncLifetime
{
    private DeliveryUnderTest _test = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _test = await DeliveryUnderTest.OpenAsync();

    public async ValueTask DisposeAsync() => await _test.DisposeAsync();

    [Theory]
    [InlineData("31536000")]
    [InlineData("99999999999999999999")]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    [InlineData("1893456000")]
    public async Task Deliver_AsksForYears_IsTriedAgainAfterMaxDelay(string retryAfter)
    {
        await using var application = await AnswerAsync(retryAfter);
        var id = await _test.StoreAsync();

        await _test.DeliverAsync(_test.Subscriber(application.Address, "retry: { for: 20h, maxDelay: 10m }"));

        var item = await _test.GetAsync(id);
        Assert.Equal(ItemState.Retrying, item.State);
        Assert.Equal(TimeSpan.FromMinutes(10), item.Due - _test.Time.GetUtcNow());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public async Task Deliver_AsksByUnixTime_IsTriedAgainThen(int unitsInASecond)
    {
        var at = _test.Time.GetUtcNow().ToUnixTimeSeconds() + 90;
        await using var application = await AnswerAsync((at * unitsInASecond).ToString(CultureInfo.InvariantCulture));
        var id = await _test.StoreAsync();

        await _test.DeliverAsync(_test.Subscriber(application.Address));

        Assert.Equal(TimeSpan.FromSeconds(90), (await _test.GetAsync(id)).Due - _test.Time.GetUtcNow());
    }

    [Fact]
    public async Task Deliver_AsksForLongerThanRetryFor_HasItsLastAttemptAtTheEndAndIsDeadOnlyThen()
    {
        await using var application = await AnswerAsync("120");
        var subscriber = _test.Subscriber(application.Address, "retry: { for: 30s, baseDelay: 1s, maxDelay: 1h }");
        var id = await _test.StoreAsync();

        await _test.DeliverAsync(subscriber);
        var after = await _test.GetAsync(id);
        _test.Time.Advance(TimeSpan.FromSeconds(30));
        await _test.DeliverAsync(subscriber);

        Assert.Equal((ItemState.Retrying, TimeSpan.FromSeconds(30)), (after.State, after.Due - _test.Time.GetUtcNow() + TimeSpan.FromSeconds(30)));
        Assert.Equal((ItemState.Dead, 2), ((await _test.GetAsync(id)).State, application.Requests.Count));
    }

    private Task<Destination> AnswerAsync(string retryAfter) => Destination.StartAsync(Cancel, answer: (_, context) =>
    {
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        context.Response.Headers.Date = _test.Time.GetUtcNow().ToString("r", CultureInfo.InvariantCulture);
        context.Response.Headers.RetryAfter = retryAfter;
        return Task.CompletedTask;
    });
}
