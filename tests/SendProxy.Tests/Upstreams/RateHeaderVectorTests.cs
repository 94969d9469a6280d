using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Upstreams;

/// <summary>
/// Whole answers as vendors send them, at 2026-11-24 12:00:00 GMT: name: value lines, and what is read of them. A dash is absent.
/// Forms: draft-ietf-httpapi-ratelimit-headers 00 to 10, RFC 9110 10.2.3, vendors' documentation.
/// </summary>
public class RateHeaderVectorTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly RateHeaderNames Names = new("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset");

    [Theory]
    // X- forms
    [InlineData("X-RateLimit-Limit: 100|X-RateLimit-Remaining: 42|X-RateLimit-Reset: 5", "100 42 5 -")]
    [InlineData("x-ratelimit-limit: 100|x-ratelimit-remaining: 0|x-ratelimit-reset: 1795521610", "100 0 10 -")]
    [InlineData("X-RateLimit-Limit: 5000|X-RateLimit-Remaining: 4999|X-RateLimit-Reset: 1795525200", "5000 4999 3600 -")]
    [InlineData("X-RateLimit-Limit: 100, 100;w=60|X-RateLimit-Remaining: 9", "100 9 - -")]
    [InlineData("X-RateLimit-Limit: 100;w=1|X-RateLimit-Remaining: 99;w=1", "100 99 - -")]
    [InlineData("X-RateLimit-Remaining: 7", "- 7 - -")]
    [InlineData("X-RateLimit-Limit: 0", "0 - - -")]
    [InlineData("X-RateLimit-Remaining: -1", "- - - -")]
    [InlineData("X-RateLimit-Remaining: 1.5", "- - - -")]
    [InlineData("X-RateLimit-Remaining: lots", "- - - -")]
    [InlineData("X-RateLimit-Remaining: 99999999999999999999", "- - - -")]
    [InlineData("X-RateLimit-Remaining:", "- - - -")]
    [InlineData("X-RateLimit-Remaining: +5", "- - - -")]
    [InlineData("X-RateLimit-Remaining: 0x10", "- - - -")]
    // seven units of a reset
    [InlineData("X-RateLimit-Reset: 30", "- - 30 -")]
    [InlineData("X-RateLimit-Reset: 0", "- - 0 -")]
    [InlineData("X-RateLimit-Reset: 0.5", "- - 0.5 -")]
    [InlineData("X-RateLimit-Reset: 12.0001", "- - 12.001 -")]
    [InlineData("X-RateLimit-Reset: 1795521630", "- - 30 -")]
    [InlineData("X-RateLimit-Reset: 1795521630.25", "- - 30.25 -")]
    [InlineData("X-RateLimit-Reset: 1795521630500", "- - 30.5 -")]
    [InlineData("X-RateLimit-Reset: 1795521630500000", "- - 30.5 -")]
    [InlineData("X-RateLimit-Reset: 1795521630000000000", "- - 30 -")]
    [InlineData("X-RateLimit-Reset: 2026-11-24T12:00:30Z", "- - 30 -")]
    [InlineData("X-RateLimit-Reset: 2026-11-24T12:00:30.5Z", "- - 30.5 -")]
    [InlineData("X-RateLimit-Reset: 2026-11-24T07:00:30-05:00", "- - 30 -")]
    [InlineData("X-RateLimit-Reset: Tue, 24 Nov 2026 12:00:30 GMT", "- - 30 -")]
    [InlineData("X-RateLimit-Reset: Tuesday, 24-Nov-26 12:00:30 GMT", "- - 30 -")]
    [InlineData("X-RateLimit-Reset: Tue Nov 24 12:00:30 2026", "- - 30 -")]
    [InlineData("X-RateLimit-Reset: 1795521599", "- - 0 -")]
    [InlineData("X-RateLimit-Reset: 2026-11-24T11:59:59Z", "- - 0 -")]
    [InlineData("X-RateLimit-Reset: 999999999", "- - 86400 -")]
    [InlineData("X-RateLimit-Reset: -5", "- - - -")]
    [InlineData("X-RateLimit-Reset: in a minute", "- - - -")]
    [InlineData("X-RateLimit-Reset: 1m30s", "- - - -")]
    [InlineData("X-RateLimit-Reset: 2026-11-24", "- - - -")]
    // judged by the answer's own clock
    [InlineData("Date: Tue, 24 Nov 2026 11:00:00 GMT|X-RateLimit-Reset: 1795518030", "- - 30 -")]
    [InlineData("Date: Tue, 24 Nov 2026 13:00:00 GMT|Retry-After: Tue, 24 Nov 2026 13:00:05 GMT", "- - - 5")]
    [InlineData("Date: nonsense|Retry-After: Tue, 24 Nov 2026 12:00:05 GMT", "- - - 5")]
    // drafts 00 to 06: three integers
    [InlineData("RateLimit-Limit: 100|RateLimit-Remaining: 50|RateLimit-Reset: 50", "100 50 50 -")]
    [InlineData("RateLimit-Limit: 10, 10;w=1, 50;w=60|RateLimit-Remaining: 9|RateLimit-Reset: 1", "10 9 1 -")]
    [InlineData("RateLimit-Limit: 100|RateLimit-Remaining: 0|RateLimit-Reset: 5|Retry-After: 7", "100 0 5 7")]
    [InlineData("RateLimit-Remaining: 3", "- 3 - -")]
    [InlineData("RateLimit-Limit: 100|X-RateLimit-Limit: 60", "60 - - -")]
    // draft 07: a dictionary
    [InlineData("RateLimit: limit=100, remaining=50, reset=5", "100 50 5 -")]
    [InlineData("RateLimit: limit=100,remaining=50,reset=5", "100 50 5 -")]
    [InlineData("RateLimit: reset=5, remaining=0, limit=100", "100 0 5 -")]
    [InlineData("RateLimit: remaining=12", "- 12 - -")]
    [InlineData("RateLimit: limit=10, remaining=4, reset=50, policy=\"x\"", "10 4 50 -")]
    [InlineData("RateLimit: limit=100, remaining=abc, reset=5", "100 - 5 -")]
    // drafts 08 to 10: a list
    [InlineData("RateLimit: \"default\";r=50;t=30", "- 50 30 -")]
    [InlineData("RateLimit: \"default\";r=50;t=30|RateLimit-Policy: \"default\";q=100;w=60", "100 50 30 -")]
    [InlineData("RateLimit: \"a\";r=50;t=30, \"b\";r=2;t=60", "- 2 60 -")]
    [InlineData("RateLimit: \"burst\";r=0;t=1, \"daily\";r=1000;t=3600", "- 0 3600 -")]
    [InlineData("RateLimit: \"a\" ; r=5 ; t=3", "- 5 3 -")]
    [InlineData("RateLimit: \"a\";t=3", "- - 3 -")]
    [InlineData("RateLimit: \"a\";r=5;pk=:cHsdsRa894==:", "- 5 - -")]
    [InlineData("RateLimit: \"a;r=0;t=9\";r=50;t=30", "- 50 30 -")]
    [InlineData("RateLimit: \"a\\\";r=0\";r=50", "- 50 - -")]
    [InlineData("RateLimit: \"open;r=1", "- - - -")]
    [InlineData("RateLimit-Policy: \"burst\";q=100;w=60,\"daily\";q=1000;w=86400", "100 - - -")]
    [InlineData("RateLimit: \"a\";r=-1;t=5", "- - 5 -")]
    [InlineData("RateLimit: ;;,,=", "- - - -")]
    [InlineData("RateLimit:", "- - - -")]
    // Retry-After
    [InlineData("Retry-After: 5", "- - - 5")]
    [InlineData("Retry-After: 1.2", "- - - 1.2")]
    [InlineData("Retry-After: 0.0001", "- - - 0.001")]
    [InlineData("Retry-After: 0", "- - - -")]
    [InlineData("Retry-After: -3", "- - - -")]
    [InlineData("Retry-After: Tue, 24 Nov 2026 12:01:00 GMT", "- - - 60")]
    [InlineData("Retry-After: Tue, 24 Nov 2026 11:01:00 GMT", "- - - -")]
    [InlineData("Retry-After: 86401", "- - - 86400")]
    [InlineData("Retry-After: 5 seconds", "- - - -")]
    public void Read_Answer_Yields(string answer, string expected) => Assert.Equal(expected, Shown(Read(answer, Names)));

    [Theory]
    [InlineData("X-RateLimit-Reset: 250", "- - 0.25 -")]
    [InlineData("X-RateLimit-Reset: 1795521630000", "- - 30 -")]
    [InlineData("X-RateLimit-Reset: 2026-11-24T12:00:30Z", "- - 30 -")]
    public void Read_ResetInMilliseconds_Yields(string answer, string expected) =>
        Assert.Equal(expected, Shown(Read(answer, Names with { ResetMilliseconds = true })));

    private static RateHint Read(string answer, RateHeaderNames names)
    {
        var headers = answer.Split('|').Select(l => l.Split(':', 2)).ToDictionary(l => l[0], l => l[1].Trim(), StringComparer.OrdinalIgnoreCase);
        return RateHeaders.Read(headers.GetValueOrDefault, names, Now);
    }

    private static string Shown(RateHint hint) => string.Join(' ', hint.Limit?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "-",
        hint.Remaining?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "-", Shown(hint.ResetAfter), Shown(hint.RetryAfter));

    private static string Shown(TimeSpan? time) => time?.TotalSeconds.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture) ?? "-";
}
