namespace SendProxy.Sending.RateLimiting.Quotas;

/// <summary>An hour, a day or a month of a time zone's calendar, from the one instant to the other.</summary>
internal readonly record struct CalendarPeriod(DateTimeOffset Start, DateTimeOffset End)
{
    public static CalendarPeriod At(DateTimeOffset now, QuotaPeriod length, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(now, zone);
        if (length == QuotaPeriod.Hour)
        {
            // An hour that occurs twice, when the clock is set back, is two periods.
            var start = (now - new TimeSpan(0, 0, local.Minute, local.Second) - TimeSpan.FromTicks(local.Ticks % TimeSpan.TicksPerSecond)).ToUniversalTime();
            return new CalendarPeriod(start, start.AddHours(1));
        }

        var first = length == QuotaPeriod.Day ? local.Date : new DateTime(local.Year, local.Month, 1);
        return new CalendarPeriod(Instant(first, zone), Instant(length == QuotaPeriod.Day ? first.AddDays(1) : first.AddMonths(1), zone));
    }

    // Where the clock is set forward over midnight, the period begins at the first instant after it; where midnight occurs twice, at the first.
    private static DateTimeOffset Instant(DateTime local, TimeZoneInfo zone)
    {
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(1);
        }

        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
