using System.Numerics;

namespace SendProxy.Load;

/// <summary>Counts of latencies in buckets that are 1/64 of their value wide, as HdrHistogram's: 1 us to some hours, at most 1.6 % too high.</summary>
internal sealed class Histogram
{
    private const int SubBits = 6;
    private const int Sub = 1 << SubBits;
    private const int Exponents = 40;

    private readonly long[] _counts = new long[Exponents * Sub];

    public long Count { get; private set; }

    public long Max { get; private set; }

    public double Sum { get; private set; }

    public void Add(long microseconds)
    {
        var value = Math.Max(microseconds, 0);
        _counts[Bucket(value)]++;
        Count++;
        Sum += value;
        Max = Math.Max(Max, value);
    }

    /// <returns>The value that the share of all are at or below; 0 where there are none.</returns>
    public long Quantile(double share)
    {
        var left = (long)Math.Ceiling(Count * share);
        for (var i = 0; i < _counts.Length; i++)
        {
            left -= _counts[i];
            if (left <= 0 && Count > 0)
            {
                return Math.Min(Upper(i), Max);
            }
        }

        return 0;
    }

    private static int Bucket(long value)
    {
        // Below 128 each value has a bucket of its own; above, the highest seven bits choose it.
        var exponent = Math.Max(BitOperations.Log2((ulong)value | 1) - SubBits, 0);
        return Math.Min((exponent * Sub) + (int)(value >> exponent), (Exponents * Sub) - 1);
    }

    private static long Upper(int bucket)
    {
        var exponent = Math.Max((bucket >> SubBits) - 1, 0);
        return ((bucket - ((long)exponent * Sub) + 1) << exponent) - 1;
    }
}
