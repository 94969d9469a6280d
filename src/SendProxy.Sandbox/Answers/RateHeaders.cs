using System.Globalization;
using SendProxy.Sandbox.Limits;

namespace SendProxy.Sandbox.Answers;

/// <summary>Writes limits into headers, in the form that the options choose.</summary>
internal sealed class RateHeaders(RateHeaderOptions options)
{
    private readonly Queue<long> _said = new();
    private readonly Lock _gate = new();

    /// <summary>Writes the state of the limit, which stands on every answer.</summary>
    public void WriteLimit(IHeaderDictionary headers, in LimitVerdict verdict, DateTimeOffset now)
    {
        var remaining = Text(Told(verdict.Remaining));
        switch (options.Names)
        {
            case RateHeaderNames.XRateLimit or RateHeaderNames.RateLimit:
                var prefix = options.Names == RateHeaderNames.XRateLimit ? "X-RateLimit-" : "RateLimit-";
                headers[prefix + "Limit"] = Text(verdict.Limit);
                headers[prefix + "Remaining"] = remaining;
                if (ResetText(verdict.Reset, now) is { } reset) { headers[prefix + "Reset"] = reset; }
                break;
            case RateHeaderNames.Draft:
                headers["RateLimit-Policy"] = $"\"default\";q={Text(verdict.Limit)}";
                headers["RateLimit"] = $"\"default\";r={remaining};t={Text(Seconds(verdict.Reset))}";
                break;
            default:
                break;
        }
    }

    /// <summary>Writes <c>Retry-After</c>, if the answer has one.</summary>
    public void WriteRetryAfter(IHeaderDictionary headers, Answer answer, DateTimeOffset now)
    {
        if (answer.HidesRetryAfter) { return; }
        if (answer.RetryAfterText is { } literal) { headers.RetryAfter = literal; }
        else if (answer.RetryAfter is { } wait)
        {
            // At least a second: 0 would invite a client to come back at once.
            var seconds = Math.Max(1, Seconds(wait));
            headers.RetryAfter = options.RetryAfter switch
            {
                RetryAfterForm.Seconds => Text(seconds),
                RetryAfterForm.HttpDate => HttpDate(now.AddSeconds(seconds)),
                _ => default,
            };
        }
    }

    /// <summary>The IMF-fixdate of RFC 9110, rounded up to the second.</summary>
    public static string HttpDate(DateTimeOffset time) => DateTimeOffset
        .FromUnixTimeSeconds(CeilingSeconds(time)).ToString("R", CultureInfo.InvariantCulture);

    private long Told(long remaining)
    {
        var told = remaining / options.RemainingStep * options.RemainingStep;
        if (options.RemainingLag == 0) { return told; }
        lock (_gate)
        {
            _said.Enqueue(told);
            return _said.Count > options.RemainingLag ? _said.Dequeue() : _said.Peek();
        }
    }

    private string? ResetText(TimeSpan reset, DateTimeOffset now) => options.Reset switch
    {
        ResetForm.Seconds => Text(Seconds(reset)),
        ResetForm.Milliseconds => Text(Milliseconds(reset)),
        ResetForm.Decimal => (Milliseconds(reset) / 1000m).ToString("0.000", CultureInfo.InvariantCulture),
        ResetForm.Unix => Text(CeilingSeconds(now + reset)),
        ResetForm.UnixMs => Text((now + reset).ToUnixTimeMilliseconds()),
        _ => null,
    };

    private static long CeilingSeconds(DateTimeOffset time) => (time.ToUnixTimeMilliseconds() + 999) / 1000;

    private static long Seconds(TimeSpan span) => (span.Ticks + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond;

    private static long Milliseconds(TimeSpan span) => (span.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
