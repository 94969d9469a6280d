using System.Numerics;
using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Feedback;

/// <summary>
/// Decides whether a 429 has nothing to do with this limit. What the vendor's headers prove weighs more than a status: a vendor
/// that says in the refusal itself, or said just before, that permits remain has refused for another reason (a fault, a limit of
/// one recipient or of one kind of request). Headers are not believed when they belong to another limit, when they never change,
/// or when they would explain more than half of the last 20 answers (<see cref="UnrelatedMost"/>). Not safe for several threads.
/// </summary>
internal sealed class UnrelatedRefusalDetector(LimitOptions options)
{
    private const int Answers = 20;
    private const int UnrelatedMost = Answers / 2;

    // Older headers say nothing about the present.
    private static readonly Microseconds HeardFor = Microseconds.FromSeconds(1);

    private static readonly TimeSpan ResetRounding = TimeSpan.FromSeconds(1);

    private readonly long _permits = Math.Max(options.Rate!.Value.Permits, options.Burst);
    private readonly double _perSecond = options.Rate!.Value.PerSecond;
    private readonly double _bunching = LimitParameters.Bunching(options.Rate!.Value.PerSecond, LimitParameters.UsualSpread);
    private uint _last;
    private long? _remaining;
    private Microseconds _heardAt;
    private long _least = long.MaxValue;
    private long _most = long.MinValue;

    /// <summary>Takes note of an answer that is no refusal.</summary>
    public void ObserveSuccess(in RateLimitFeedbackSample heard, Microseconds now)
    {
        Add(isUnrelated: false);
        if (heard.Remaining is { } remaining && IsOfPlan(remaining, heard.Limit, heard.ResetAfter))
        {
            (_remaining, _heardAt) = (remaining, now);
            (_least, _most) = (Math.Min(_least, remaining), Math.Max(_most, remaining));
        }
    }

    /// <summary>A refusal.</summary>
    public bool IsUnrelated(in VendorRefusal refusal, Microseconds now)
    {
        var isUnrelated = !refusal.IsDeclared && HasRoom(refusal, now) && _most > _least
            && BitOperations.PopCount(_last & ((1u << Answers) - 1)) < UnrelatedMost;
        Add(isUnrelated);
        return isUnrelated;
    }

    private bool HasRoom(in VendorRefusal refusal, Microseconds now)
    {
        if (refusal.Remaining is { } own)
        {
            return own >= 1 && IsOfPlan(own, refusal.Limit, refusal.ResetAfter);
        }

        // The headers of the answer before, less all that can have been used since then and what was on its way.
        var age = now - _heardAt;
        return _remaining is { } before && age <= HeardFor && before - (age.Seconds * _perSecond) - _bunching >= 1;
    }

    private bool IsOfPlan(long remaining, long? limit, TimeSpan? reset) =>
        remaining <= _permits && !(limit > _permits) && !(reset > options.Rate!.Value.Per + ResetRounding);

    private void Add(bool isUnrelated) => _last = (_last << 1) | (isUnrelated ? 1u : 0);
}
