using System.Globalization;
using SendProxy.Sandbox.Recording;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>What one scenario gave, from the vendor's log of arrivals and the applications' answers.</summary>
/// <param name="PerSecond">The vendor's own rate.</param>
/// <param name="Calls">Of Redis for limits, in all.</param>
internal sealed record LimitsRun(
    string Name, double PerSecond, IReadOnlyList<RequestEntry> Arrivals, IReadOnlyList<LimitsAnswer> Answers, int Broken, long Calls, DateTimeOffset From, DateTimeOffset To)
{
    /// <summary>Answers 429 of the vendor: what must not be.</summary>
    public int Refusals => Arrivals.Count(a => a.Status == 429);

    /// <summary>Part of the plan that was used.</summary>
    public double Use => UseIn(From, To);

    public double CallsPerSend => (double)Calls / Math.Max(1, Arrivals.Count);

    public int LargestSecond => Largest(TimeSpan.FromSeconds(1));

    /// <summary>Part of the sends that did not wait a millisecond.</summary>
    public double Unwaited => Sent.Length == 0 ? 0 : Sent.Average(a => a.QueuedMs < 1 ? 1.0 : 0);

    /// <summary>Errors other than the limiter's own refusals.</summary>
    public string[] Failed => [.. Answers.Where(a => a.Status != 202 && a.Error != "rate_limited").Select(a => $"{a.Status} {a.Error}")];

    private LimitsAnswer[] Sent => [.. Answers.Where(a => a.Status == 202 && a.At >= From)];

    public int RefusalsIn(DateTimeOffset from, DateTimeOffset to) => Arrivals.Count(a => a.Status == 429 && a.At >= from && a.At < to);

    public double UseIn(DateTimeOffset from, DateTimeOffset to) =>
        Arrivals.Count(a => a.Status == 202 && a.At >= from && a.At < to) / (PerSecond * (to - from).TotalSeconds);

    /// <returns>Milliseconds.</returns>
    public double Wait(double quantile, string? lane = null)
    {
        var waits = Sent.Where(a => lane is null || a.Lane == lane).Select(a => a.QueuedMs).Order().ToArray();
        return waits.Length == 0 ? 0 : waits[Math.Min(waits.Length - 1, (int)(quantile * waits.Length))];
    }

    public int Lost(string lane) => Answers.Count(a => a.Lane == lane && a.Status != 202 && a.At >= From);

    public int Largest(TimeSpan window)
    {
        var at = Arrivals.Where(a => a.Status == 202).Select(a => a.At).Order().ToArray();
        var (start, largest) = (0, 0);
        for (var i = 0; i < at.Length; i++)
        {
            while (at[start] <= at[i] - window)
            {
                start++;
            }

            largest = Math.Max(largest, i - start + 1);
        }

        return largest;
    }

    /// <summary>For each quarter of a second: how many arrived, and how many of them were answered 429.</summary>
    public string Timeline() => string.Join(' ', Arrivals.GroupBy(a => Math.Floor((a.At - From).TotalSeconds * 4)).OrderBy(g => g.Key).Select(g =>
        string.Create(CultureInfo.InvariantCulture, $"{g.Key / 4}s:{g.Count()}{(g.Any(a => a.Status == 429) ? "!" + g.Count(a => a.Status == 429) : "")}")));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Name}: {Arrivals.Count} arrived, {Refusals} answered 429, use {Use:P1}, largest second {LargestSecond}, {CallsPerSend:0.00} Redis calls a send; "
        + $"unwaited {Unwaited:P1}, wait p50 {Wait(.5):0} p99 {Wait(.99):0} ms; urgent p50 {Wait(.5, "otp"):0} p99 {Wait(.99, "otp"):0} ms, {Lost("otp")} lost; "
        + $"{Failed.Length} failed, {Broken} without an answer{(Failed.Length > 0 ? " (" + string.Join(", ", Failed.Distinct().Take(3)) + ")" : "")}");
}
