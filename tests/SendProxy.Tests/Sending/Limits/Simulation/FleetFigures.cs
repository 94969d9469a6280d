using System.Globalization;

namespace SendProxy.Tests.Sending.Limits.Simulation;

/// <summary>What a run gave. Times given to its methods are seconds from the beginning.</summary>
internal sealed class FleetFigures(ExactVendor vendor, IReadOnlyList<FleetMember> members, WorldOptions options, double warm)
{
    private double PerSecond => options.Plan.Rate!.Value.PerSecond;

    public int Refusals => vendor.Arrivals.Count(a => !a.Taken);

    public ExactVendor Vendor => vendor;

    /// <summary>Part of the replies that counted in the vendor's own windows.</summary>
    public double InWindow => InWindowFrom(0);

    public double InWindowFrom(double from)
    {
        var replies = members.SelectMany(m => m.Replies).Where(r => r.At - 1e6 >= from * 1e6).ToArray();
        return replies.Length == 0 ? 0 : replies.Average(r => r.InWindow ? 1.0 : 0);
    }

    public IReadOnlyList<FleetMember> Members => members;

    /// <summary>Part of the plan's rate that was used once warm.</summary>
    public double Use => UseIn(warm / 1e6, options.Seconds);

    /// <summary>The most that arrived in any second.</summary>
    public int LargestSecond => LargestWindow(1);

    public double CallsPerSend => (double)members.Sum(m => m.Calls) / Math.Max(1, members.Sum(m => m.Sent));

    public int RefusalsIn(double from, double to) => vendor.Arrivals.Count(a => !a.Taken && In(a.At, from, to));

    public double UseIn(double from, double to) =>
        vendor.Arrivals.Count(a => a.Taken && In(a.At, from, to)) / (PerSecond * (to - from));

    public double UseOf(string lane) => (double)vendor.Arrivals.Count(a => a.Taken && a.Lane.Name == lane) / vendor.Arrivals.Count(a => a.Taken);

    public int LargestWindow(double seconds)
    {
        var (start, largest) = (0, 0);
        for (var i = 0; i < vendor.Arrivals.Count; i++)
        {
            while (vendor.Arrivals[start].At <= vendor.Arrivals[i].At - (seconds * 1e6))
            {
                start++;
            }

            largest = Math.Max(largest, i - start + 1);
        }

        return largest;
    }

    /// <summary>Part of the sends that did not wait at all.</summary>
    public double Unwaited => Waits(null).Average(w => w < 10 ? 1.0 : 0);

    /// <returns>Milliseconds.</returns>
    public double Wait(double quantile, string? lane = null)
    {
        var waits = Waits(lane).Order().ToArray();
        return waits.Length == 0 ? 0 : waits[Math.Min(waits.Length - 1, (int)(quantile * waits.Length))] / 1000;
    }

    public int Lost(string lane) => members.Sum(m => m.Refused.Count(r => r.Lane.Name == lane && r.At >= warm + 1e6));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"n={members.Count} load={options.Load} 429={Refusals} use={Use:P1} largest={LargestSecond} calls/send={CallsPerSend:0.00} "
        + $"unwaited={Unwaited:P1} p50={Wait(.5):0.00}ms p99={Wait(.99):0.0}ms urgent p50={Wait(.5, "otp"):0.00}ms p99={Wait(.99, "otp"):0.0}ms lost={Lost("otp")}");

    private IEnumerable<double> Waits(string? lane) =>
        members.SelectMany(m => m.Waits).Where(w => w.At >= warm + 1e6 && (lane is null || w.Lane.Name == lane)).Select(w => w.Waited);

    private static bool In(double at, double from, double to) => at - 1e6 >= from * 1e6 && at - 1e6 < to * 1e6;
}
