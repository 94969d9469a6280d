using Prometheus;
using SendProxy.Sending.RateLimiting.Feedback;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Sending.RateLimiting;

/// <summary>Series of the limits. Labels are names of the configuration and words of enums, never of a request.</summary>
internal sealed class LimitMetrics(IMetricFactory metrics)
{
    private static readonly double[] WaitBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30];

    private readonly Counter _permits = metrics.CreateCounter(
        "sendproxy_limit_permits_total", "Permits given, by lane and by how they were come by: ready, reserved, local, share.", ["limit", "lane", "mode"]);

    private readonly Histogram _waits = metrics.CreateHistogram(
        "sendproxy_limit_wait_seconds", "Time from asking for a permit to having it, of those that were not ready.",
        ["limit", "lane"], new HistogramConfiguration { Buckets = WaitBuckets });

    private readonly Counter _refused = metrics.CreateCounter(
        "sendproxy_limit_refusals_total", "Requests that got no permit, by reason: wait_too_long, queue_full, quota_used, closed, shutting_down.", ["limit", "lane", "reason"]);

    private readonly Gauge _waiting = metrics.CreateGauge("sendproxy_limit_waiting", "Requests that wait for a permit.", ["limit"]);

    private readonly Gauge _level = metrics.CreateGauge("sendproxy_limit_level", "Permits there now, as far as this process knows.", ["limit"]);

    private readonly Gauge _processes = metrics.CreateGauge("sendproxy_limit_processes", "Processes that share the limit, as far as this one knows.", ["limit"]);

    private readonly Gauge _rate = metrics.CreateGauge("sendproxy_limit_rate", "What the limit keeps to now: permits a second, at once or in the period; the plan's less headroom and cuts.", ["limit"]);

    private readonly Gauge _plan = metrics.CreateGauge("sendproxy_limit_plan", "The plan's: permits a second, at once, or in the period.", ["limit"]);

    private readonly Gauge _away = metrics.CreateGauge("sendproxy_limit_away", "1 while Redis is away and the process keeps to its share.", ["limit"]);

    private readonly Counter _blocked = metrics.CreateCounter(
        "sendproxy_limit_blocked_seconds_total", "Seconds for which the vendor asked to send nothing.", ["limit"]);

    private readonly Counter _calls = metrics.CreateCounter("sendproxy_limit_store_calls_total", "Calls to the fleet's state of the limit.", ["limit"]);

    private readonly Counter _found = metrics.CreateCounter(
        "sendproxy_limit_findings_total", "What the vendor's answers said that differs from the plan (drift, limit, spread), proves how it counts (form) or that a 429 was none of the limit's (unrelated), and whether it was applied.",
        ["limit", "kind", "applied"]);

    private readonly Gauge _quota = metrics.CreateGauge("sendproxy_limit_quota_used_ratio", "Part of the period's permits that is used.", ["limit"]);

    /// <summary>The series of one limit, looked up once.</summary>
    public Series For(LimitOptions options, LaneTable lanes) => new(this, options, lanes);

    /// <summary>What one limit writes. Safe for threads.</summary>
    internal sealed class Series
    {
        private bool _isPart;
        private static readonly PermitMode[] Modes = [.. Enum.GetValues<PermitMode>().Where(m => m != PermitMode.Off)];

        private static readonly PermitRefusal[] Reasons = [.. Enum.GetValues<PermitRefusal>().Where(r => r != PermitRefusal.None)];
        private static readonly FeedbackFindingKind[] Kinds = Enum.GetValues<FeedbackFindingKind>();

        private readonly LimitMetrics _all;
        private readonly string _limit;
        private readonly Counter.Child[][] _permits;
        private readonly Histogram.Child[] _waits;
        private readonly Gauge.Child _waiting;
        private readonly Gauge.Child _level;
        private readonly Gauge.Child _processes;
        private readonly Gauge.Child _rate;
        private readonly Gauge.Child _away;
        private readonly Counter.Child _blocked;
        private readonly Counter.Child _calls;
        private readonly Dictionary<PermitRefusal, Counter.Child>[] _refused;
        private readonly Dictionary<FeedbackFindingKind, (Counter.Child False, Counter.Child True)> _found;

        public Series(LimitMetrics all, LimitOptions options, LaneTable lanes)
        {
            (_all, _limit) = (all, options.Name);
            _permits = [.. lanes.All.Select(l => Modes.Select(m => all._permits.WithLabels(_limit, l.Name, m.Word())).ToArray())];
            _waits = [.. lanes.All.Select(l => all._waits.WithLabels(_limit, l.Name))];
            _waiting = all._waiting.WithLabels(_limit);
            _level = all._level.WithLabels(_limit);
            _processes = all._processes.WithLabels(_limit);
            _rate = all._rate.WithLabels(_limit);
            _away = all._away.WithLabels(_limit);
            _blocked = all._blocked.WithLabels(_limit);
            _calls = all._calls.WithLabels(_limit);
            all._plan.WithLabels(_limit).Set(options.Rate?.PerSecond ?? options.Quota?.Permits ?? options.Concurrent);
            _refused = [.. lanes.All.Select(l => Reasons.ToDictionary(r => r, r => all._refused.WithLabels(_limit, l.Name, Word(r))))];
            _found = Kinds.ToDictionary(k => k, k => (False: all._found.WithLabels(_limit, KindWord(k), "false"), True: all._found.WithLabels(_limit, KindWord(k), "true")));
        }

        public void Ready(Lane lane, PermitMode mode, int permits) => Permits(lane, mode).Inc(permits);

        public void Granted(Lane lane, PermitMode mode, int permits, double waitedSeconds)
        {
            Permits(lane, mode).Inc(permits);
            _waits[lane.Index].Observe(waitedSeconds);
        }

        public void Refused(Lane lane, PermitRefusal reason) => _refused[lane.Index][reason].Inc();

        /// <summary>For one of many values: it counts together with the others, and does not report the state of the whole.</summary>
        public Series Part()
        {
            var part = (Series)MemberwiseClone();
            part._isPart = true;
            return part;
        }

        public void State(int waiting, double level, int processes, double rate, bool isAway)
        {
            if (_isPart)
            {
                return;
            }

            _waiting.Set(waiting);
            _level.Set(level);
            _processes.Set(processes);
            _rate.Set(rate);
            _away.Set(isAway ? 1 : 0);
        }

        public void Blocked(TimeSpan wait) => _blocked.Inc(Math.Max(0, wait.TotalSeconds));

        public void Called() => _calls.Inc();

        public void Found(FeedbackFinding finding, bool applied) => (applied ? _found[finding.Kind].True : _found[finding.Kind].False).Inc();

        public void QuotaUsed(double share) => _all._quota.WithLabels(_limit).Set(share);

        // A permit that was given has a mode; Off is where there was none.
        private Counter.Child Permits(Lane lane, PermitMode mode) => _permits[lane.Index][mode - PermitMode.Off - 1];

        private static string KindWord(FeedbackFindingKind kind) => kind.ToString().ToLowerInvariant();

        private static string Word(PermitRefusal reason) => reason switch
        {
            PermitRefusal.QueueFull => "queue_full",
            PermitRefusal.QuotaUsed => "quota_used",
            PermitRefusal.Closed => "closed",
            PermitRefusal.Disposed => "shutting_down",
            _ => "wait_too_long",
        };
    }
}
