namespace SendProxy.Sending.RateLimiting;

/// <summary>A calendar hour, day or month of a time zone. Days have 23 to 25 hours where clocks change.</summary>
internal readonly record struct CalendarPeriod(DateTimeOffset Start, DateTimeOffset End)
{
    /// <summary>The one that <paramref name="now"/> lies in.</summary>
    public static CalendarPeriod At(DateTimeOffset now, QuotaPeriod period, TimeZoneInfo zone)
    {
        if (period == QuotaPeriod.Hour)
        {
            // Whole hours of the zone's offset now: an hour that a clock change repeats is two hours.
            var offset = zone.GetUtcOffset(now);
            var local = now.ToOffset(offset);
            var hour = new DateTimeOffset(local.Year, local.Month, local.Day, local.Hour, 0, 0, offset);
            return new CalendarPeriod(hour, hour.AddHours(1));
        }

        var day = TimeZoneInfo.ConvertTime(now, zone).Date;
        var first = period == QuotaPeriod.Day ? day : new DateTime(day.Year, day.Month, 1);
        return new CalendarPeriod(Utc(first, zone), Utc(period == QuotaPeriod.Day ? first.AddDays(1) : first.AddMonths(1), zone));
    }

    // A midnight that a clock change leaves out begins with the first moment after it.
    private static DateTimeOffset Utc(DateTime local, TimeZoneInfo zone)
    {
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        // Of a midnight that comes twice, the first.
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset);
    }
}
