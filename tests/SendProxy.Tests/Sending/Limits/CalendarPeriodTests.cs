using System.Globalization;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Quotas;

namespace SendProxy.Tests.Sending.Limits;

public class CalendarPeriodTests
{
    [Theory]
    [InlineData("2026-11-24T12:00:00Z", 2, "Europe/Berlin", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z")]
    [InlineData("2026-10-31T23:30:00Z", 2, "Europe/Berlin", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z")]
    [InlineData("2026-12-31T23:30:00Z", 2, "UTC", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")]
    [InlineData("2026-03-29T12:00:00Z", 1, "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")]
    [InlineData("2026-10-25T12:00:00Z", 1, "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")]
    [InlineData("2026-04-24T10:00:00Z", 1, "Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z")]
    [InlineData("2026-11-24T12:20:00Z", 0, "Asia/Kolkata", "2026-11-24T11:30:00Z", "2026-11-24T12:30:00Z")]
    public void At_Moment_IsThePeriodOfTheZone(string now, int period, string zone, string start, string end)
    {
        var at = CalendarPeriod.At(At(now), (QuotaPeriod)period, TimeZoneInfo.FindSystemTimeZoneById(zone));

        Assert.Equal((At(start), At(end)), (at.Start.ToUniversalTime(), at.End.ToUniversalTime()));
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
