using Prometheus;

namespace SendProxy.Redis;

/// <summary>How a call ended.</summary>
internal enum RedisOutcome
{
    Answered,

    /// <summary>Later than the call's timeout.</summary>
    TimedOut,

    /// <summary>The connection is not there, or ended.</summary>
    Unreachable,

    /// <summary>Redis answered with an error: full, read only, loading.</summary>
    Refused,

    /// <summary>Not asked: Redis did not answer the last time.</summary>
    Spared,
}

/// <summary>Series of a Redis.</summary>
/// <param name="up">The gauge of whether it answers: the fleet's and the journal's each have one.</param>
internal sealed class RedisMetrics(IMetricFactory metrics, Gauge up)
{
    private readonly Counter _calls = metrics.CreateCounter(
        "sendproxy_redis_calls_total", "Calls to the fleet's Redis and to the journal's by script and outcome: answered, timed_out, unreachable, refused, spared (not asked while it is away).",
        ["script", "outcome"]);

    private readonly Histogram _seconds = metrics.CreateHistogram(
        "sendproxy_redis_call_seconds", "Calls to the fleet's Redis and to the journal's that were answered in time.", ["script"],
        new HistogramConfiguration { Buckets = [.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, 1] });

    public RedisMetrics(IMetricFactory metrics)
        : this(metrics, metrics.CreateGauge("sendproxy_redis_up", "1 while the fleet's Redis answers in time; 0 while nobody waits for it."))
    {
    }

    /// <summary>Those of the journal's Redis.</summary>
    public static RedisMetrics OfJournal(IMetricFactory metrics) => new(
        metrics, metrics.CreateGauge("sendproxy_journal_redis_up", "1 while the journal's Redis answers in time; 0 while nothing is stored and nothing is claimed."));

    public void Up(bool isUp) => up.Set(isUp ? 1 : 0);

    public void Called(string script, RedisOutcome outcome) => _calls.WithLabels(script, Word(outcome)).Inc();

    public void Took(string script, TimeSpan time) => _seconds.WithLabels(script).Observe(time.TotalSeconds);

    private static string Word(RedisOutcome outcome) => outcome switch
    {
        RedisOutcome.Answered => "answered",
        RedisOutcome.TimedOut => "timed_out",
        RedisOutcome.Unreachable => "unreachable",
        RedisOutcome.Refused => "refused",
        _ => "spared",
    };
}
