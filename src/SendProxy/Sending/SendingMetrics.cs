using Prometheus;
using SendProxy.Metrics;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Responses;

namespace SendProxy.Sending;

/// <summary>Series of attempts. Labels are the upstream's name and enums.</summary>
internal sealed class SendingMetrics(IMetricFactory metrics)
{
    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    private readonly MetricChildCache<(string Upstream, string Attempt, AttemptOutcome Outcome), Counter.Child> _attempts = new(
        metrics.CreateCounter("sendproxy_attempts_total", "Attempts on the wire, by number and what became of them.", ["upstream", "attempt", "outcome"]),
        x => [x.Upstream, x.Attempt, Word(x.Outcome)]);

    private readonly Counter _retries = metrics.CreateCounter(
        "sendproxy_retries_total", "Attempts after the first, by what made them necessary.", ["upstream", "reason"]);

    private readonly MetricChildCache<string, Histogram.Child> _durations = new(
        metrics.CreateHistogram(
            "sendproxy_attempt_duration_seconds", "One attempt, to the end of a buffered answer.", ["upstream"], new HistogramConfiguration { Buckets = Seconds }),
        upstream => [upstream]);

    private readonly Gauge _breaker = metrics.CreateGauge("sendproxy_breaker_open", "1 while the upstream is given a rest.", ["upstream"]);

    private readonly Counter _scrubbed = metrics.CreateCounter(
        "sendproxy_secrets_scrubbed_total", "Times a key was found in an upstream's answer and replaced.", ["upstream"]);

    private readonly Counter _encoded = metrics.CreateCounter(
        "sendproxy_answers_encoded_total", "Answers that came compressed although identity was asked for: decoded, or passed_on with a coding that is not known, unscrubbed.",
        ["upstream", "outcome"]);

    private readonly Counter _streamed = metrics.CreateCounter(
        "sendproxy_answers_streamed_total", "Answers that were passed on as they came, by their end: whole, timed_out (silent for timeouts.bodyIdle), broke, or left (by the caller).",
        ["upstream", "outcome"]);

    private readonly Counter _malformed = metrics.CreateCounter(
        "sendproxy_vendor_hints_malformed_total", "Rate headers that could not be read and were ignored.", ["upstream"]);

    private readonly Gauge _remaining = metrics.CreateGauge(
        "sendproxy_vendor_limit_remaining", "What the vendor last said is left of its limit.", ["upstream"]);

    private readonly Gauge _limit = metrics.CreateGauge(
        "sendproxy_vendor_limit", "What the vendor last said its limit is.", ["upstream"]);

    private readonly Gauge _settling = metrics.CreateGauge(
        "sendproxy_attempts_settling", "Attempts that are finished in the background because their caller left.");

    private readonly Counter _settled = metrics.CreateCounter(
        "sendproxy_attempts_settled_total", "Attempts finished in the background, by outcome.", ["upstream", "outcome"]);

    private readonly Gauge _inFlight = metrics.CreateGauge(
        "sendproxy_upstream_requests_in_flight", "Requests that are at an upstream, waiting ones included; bounded by upstreams.*.maxInFlight.", ["upstream"]);

    private readonly Gauge _connections = metrics.CreateGauge("sendproxy_upstream_connections", "Open connections to an upstream; bounded by connections.max.", ["upstream"]);

    public Gauge.Child InFlight(string upstream) => _inFlight.WithLabels(upstream);

    public Gauge.Child Connections(string upstream) => _connections.WithLabels(upstream);

    public void Attempted(string upstream, int attempt, AttemptOutcome outcome, double seconds)
    {
        _attempts[(upstream, Number(attempt), outcome)].Inc();
        _durations[upstream].Observe(seconds);
    }

    public void Retried(string upstream, AttemptOutcome reason) => _retries.WithLabels(upstream, Word(reason)).Inc();

    public void BreakerOpen(string upstream, bool open) => _breaker.WithLabels(upstream).Set(open ? 1 : 0);

    public void Scrubbed(string upstream, int times) => _scrubbed.WithLabels(upstream).Inc(times);

    /// <param name="decoded">Null where the body came plain; else whether it was decoded.</param>
    public void Encoded(string upstream, bool? decoded)
    {
        if (decoded is { } wasDecoded)
        {
            _encoded.WithLabels(upstream, wasDecoded ? "decoded" : "passed_on").Inc();
        }
    }

    public void Streamed(string upstream, ResponseBodyEnd end) => _streamed.WithLabels(upstream, end switch
    {
        ResponseBodyEnd.Whole => "whole",
        ResponseBodyEnd.TimedOut => "timed_out",
        ResponseBodyEnd.Broke => "broke",
        _ => "left",
    }).Inc();

    public void Settling(int change) => _settling.Inc(change);

    public void Settled(string upstream, AttemptOutcome outcome) => _settled.WithLabels(upstream, Word(outcome)).Inc();

    public void Hinted(string upstream, Upstreams.Responses.RateHint hint)
    {
        if (hint.Remaining is { } remaining)
        {
            _remaining.WithLabels(upstream).Set(remaining);
        }

        if (hint.Limit is { } limit)
        {
            _limit.WithLabels(upstream).Set(limit);
        }

        if (hint.Malformed > 0)
        {
            _malformed.WithLabels(upstream).Inc(hint.Malformed);
        }
    }

    public static string Word(AttemptOutcome outcome) => outcome switch
    {
        AttemptOutcome.NothingWritten => "not_sent",
        AttemptOutcome.ThrottledUnprocessed or AttemptOutcome.Throttled or AttemptOutcome.Unavailable => "throttled",
        AttemptOutcome.Failed => "failed",
        AttemptOutcome.Broke => "broke",
        AttemptOutcome.BodyBroke => "body_broke",
        AttemptOutcome.ResponseBroke or AttemptOutcome.RejectionBroke => "answer_broke",
        AttemptOutcome.InProgress => "in_progress",
        AttemptOutcome.CredentialRejected => "key_rejected",
        _ => "answered",
    };

    // At most ten attempts are configurable.
    private static string Number(int attempt) => attempt switch
    {
        1 => "1",
        2 => "2",
        3 => "3",
        4 => "4",
        _ => "5+",
    };
}
