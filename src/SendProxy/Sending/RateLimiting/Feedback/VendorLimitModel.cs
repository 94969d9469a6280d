using SendProxy.Configuration;
using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Feedback;

/// <summary>
/// What is believed of how the vendor counts under <c>counts: auto</c>, and the parameters that follow from it. Not safe for threads.
/// <list type="number">
/// <item>Unknown, at the beginning: the limit sends only what neither windows of the plan nor a bucket of the named size would refuse.</item>
/// <item>A bucket, as soon as <see cref="TokenBucketDetector"/> prove one: of the size that it names, at the plan's rate.</item>
/// <item>Windows, as soon as their beginning is seen: as with <c>counts: window</c>, where a smaller limit that it names is the plan.</item>
/// </list>
/// A 429 ends what was believed. The limit that the vendor names may then be that of windows which were not detected: it is kept to for
/// a while, unless the resets show that there are no such windows.
/// </summary>
internal sealed class VendorLimitModel(LimitOptions options)
{
    private static readonly Microseconds CapFirst = Microseconds.FromSeconds(60);
    private static readonly Microseconds CapMost = Microseconds.FromSeconds(3600);

    // Refusals that come together count once, as they do where they lower the rate.
    private static readonly Microseconds TogetherFor = Microseconds.FromSeconds(0.5);

    // A bucket of one cannot be told from anything else: the header is more often about something else.
    private const int LeastBucket = 2;
    private const double LeastLimitShare = 0.05;

    private readonly Rate _plan = options.Rate!.Value;
    private readonly TokenBucketDetector? _signs = options.CountsAuto ? new TokenBucketDetector(options.Rate!.Value.PerSecond) : null;
    private readonly ShortResetDetector? _short = options.CountsAuto ? new ShortResetDetector(options.Rate!.Value.Per) : null;
    private bool _isWindow = options is { CountsAuto: false, CountsBucket: false };
    private int? _named;
    private bool _isWary;
    private Microseconds _waryFrom = Microseconds.LongAgo;
    private Microseconds _waryUntil = Microseconds.LongAgo;
    private Microseconds _wary = CapFirst;

    /// <summary>What the bucket holds; null where it is not one, or none that is known.</summary>
    public int? Bucket => options.CountsBucket ? options.Burst : _signs?.Size is { } size ? (int)Math.Min(size, options.Burst) : null;

    /// <summary>The part of the named size that is not believed.</summary>
    public long Unbelieved => _signs?.Size - Bucket ?? 0;

    /// <summary>Neither a bucket nor windows.</summary>
    public bool IsUnknown => Bucket is null && !_isWindow;

    /// <summary>The smaller limit that the vendor names, where that is taken for the plan; else null.</summary>
    public int? Cap => Bucket is null && (_isWindow || (_isWary && _short is not { Are: true })) && _named >= _plan.Permits * LeastLimitShare ? _named : null;

    /// <summary>Permits a second that may come back between the vendor's windows: a bucket's rate, where it may be one.</summary>
    public double Refill => options.CountsAuto ? _plan.PerSecond : 0;

    /// <summary>For people; empty where the configuration says it.</summary>
    public string Why => !options.CountsAuto ? ""
        : Bucket is { } size ? $" (a bucket of {size}, by its headers{(options.Learn == FeedbackMode.Observe ? "; observed only" : "")})"
        : "";

    /// <summary>Equal as long as <see cref="Parameters"/> is, for the same spread.</summary>
    public (int? Bucket, int? Cap, int? Named) Key => (Bucket, Cap, IsUnknown ? _named : null);

    /// <summary>An answer.</summary>
    /// <returns>Whether a bucket was seen, or is no longer.</returns>
    public bool Hear(RateLimitFeedbackSample heard, Microseconds now)
    {
        _isWary &= now < _waryUntil;
        if (heard.Limit is { } limit && limit >= Least && !(heard.ResetAfter > _plan.Per + TimeSpan.FromSeconds(1)))
        {
            _named = limit < _plan.Permits ? (int)limit : null;
        }

        if (_signs is null || heard is not { Limit: { } size, Remaining: { } remaining, ResetAfter: { } reset })
        {
            return false;
        }

        _short!.Hear(reset, heard.ResetBlur, now);
        if (!_signs.Hear(size, remaining, reset, heard.ResetBlur))
        {
            return false;
        }

        _isWindow = false;
        return true;
    }

    /// <summary>Where one of the vendor's windows begins was seen.</summary>
    /// <returns>Whether that is new.</returns>
    public bool SeeWindows()
    {
        var isNew = IsUnknown;
        _isWindow |= isNew;
        return isNew;
    }

    /// <summary>The vendor refused.</summary>
    /// <returns>Whether something was believed that is not any longer.</returns>
    public bool Forget(Microseconds now)
    {
        if (_signs is null)
        {
            return false;
        }

        Beware(now);
        var known = !IsUnknown;
        _signs.Forget();
        _isWindow = false;
        return known;
    }

    /// <summary>The vendor refused, this process or another one: what is not known may be the smaller limit that it names.</summary>
    public void Beware(Microseconds now)
    {
        if (now - _waryFrom <= TogetherFor)
        {
            return;
        }

        // The vendor refused again soon after the cap ended: the cap was right, and lasts longer now.
        _wary = now < _waryUntil + _wary ? Microseconds.Min(CapMost, _wary * 2) : CapFirst;
        (_isWary, _waryFrom, _waryUntil) = (true, now, now + _wary);
    }

    public LimitParameters Parameters(TimeSpan spread)
    {
        if (Bucket is { } size)
        {
            return ShapeOfBucket(size, spread);
        }

        var window = LimitParameters.For(Cap is { } cap ? options with { Rate = new Rate(cap, _plan.Per) } : options, spread);
        return IsUnknown && Cap is null && _named is { } named ? window.And(ShapeOfBucket(named, spread)) : window;
    }

    private LimitParameters ShapeOfBucket(int size, TimeSpan spread) => LimitParameters.For(options with { CountsBucket = true, Burst = size }, spread);

    private double Least => options.CountsAuto ? LeastBucket : Math.Max(1, _plan.Permits * LeastLimitShare);
}
