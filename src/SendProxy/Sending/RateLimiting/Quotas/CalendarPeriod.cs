namespace SendProxy.Sending.RateLimiting.Quotas;

/// <summary>An hour, a day or a month of a time zone's calendar, from the one instant to the other.</summary>
internal readonly record struct CalendarPeriod(DateTimeOffset Start, DateTimeOffset End)
{
    public static CalendarPeriod At(DateTimeOffset now, QuotaPeriod length, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(now, zone);
        if (length == QuotaPeriod.Hour)
        {
            // An hour that comes twice is two.
            var start = (now - new TimeSpan(0, 0, local.Minute, local.Second) - TimeSpan.FromTicks(local.Ticks % TimeSpan.TicksPerSecond)).ToUniversalTime();
            return new CalendarPeriod(start, start.AddHours(1));
        }

        var first = length == QuotaPeriod.Day ? local.Date : new DateTime(local.Year, local.Month, 1);
        return new CalendarPeriod(Instant(first, zone), Instant(length == QuotaPeriod.Day ? first.AddDays(1) : first.AddMonths(1), zone));
    }

    // A midnight that the clock leaps over begins where it lands; of one that comes twice the first counts.
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
