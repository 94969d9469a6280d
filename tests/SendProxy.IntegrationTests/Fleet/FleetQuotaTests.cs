using System.Globalization;
using System.Net;

namespace SendProxy.IntegrationTests.Fleet;

// One quota of two processes.
public class FleetQuotaTests
{
    [Fact]
    public async Task Quota_TwoProxies_LetExactlyItThroughAndSayUntilWhen()
    {
        await using var fleet = await FleetStage.SetAsync(
            ["", ""], more: "\nlimits: { plan: { quota: 20, period: calendar-month, zone: Europe/Berlin } }");

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => fleet.SendAsync(i % 2, $"order-{i}")));

        Assert.Equal(20, answers.Count(a => a.StatusCode == HttpStatusCode.Accepted));
        Assert.Equal(20, fleet.Vendor.Requests.Arrived);
        Assert.All(answers.Where(a => a.StatusCode != HttpStatusCode.Accepted), a =>
        {
            Assert.Equal((HttpStatusCode.TooManyRequests, "quota_exceeded"), (a.StatusCode, a.Headers.GetValues("SendProxy-Error").Single()));
            Assert.True(int.Parse(a.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture) > 0);
        });
    }
}
