namespace SendProxy.Sending.RateLimiting.Feedback;

/// <summary>
/// Whether the vendor counts by a bucket, from what it says. Of a bucket that holds q and has r left, the time until it is full
/// again is (q - r) / rate: each answer says so by itself, whatever order they come in. A fixed window's reset falls with time
/// while what is used rises, and a sliding log's is the same or falls, so that both meet this at one point only: hence what was
/// used must differ by more than the headers' blur could hide. Not safe for threads.
/// </summary>
/// <param name="rate">The plan's, in permits a second.</param>
internal sealed class TokenBucketDetector(double rate)
{
    private const int LeastAnswers = 20;
    private const int MostAnswers = 5120;

    // A single contradiction may belong to another limit, or to a deployment at the vendor. A vendor that does not count by a bucket contradicts with nearly every answer.
    private const int ContradictionsToForget = 3;

    // Along a window, what was used grows by twice the slack at most before an answer contradicts; as much again to be sure.
    private const double SlacksApart = 4;
    private const double Rounding = 0.001;

    private int _needed = LeastAnswers;
    private int _agreed;
    private int _against;
    private long _limit;
    private double _least;
    private double _most;

    /// <summary>What the bucket holds; null where it is not known for one.</summary>
    public long? Size { get; private set; }

    /// <summary>An answer.</summary>
    /// <param name="limit">q, and <paramref name="remaining"/>: r.</param>
    /// <param name="blur">How far <paramref name="reset"/> may lie from what was meant.</param>
    /// <returns>Whether <see cref="Size"/> changed.</returns>
    public bool Hear(long limit, long remaining, TimeSpan reset, TimeSpan blur)
    {
        var used = (limit - remaining) / rate;
        // The remaining number is rounded down, and only some vendors count the request itself: one permit of slack.
        var slack = blur.TotalSeconds + (1 / rate) + Rounding;
        var agrees = remaining >= 0 && used >= 0 && Math.Abs(reset.TotalSeconds - used) <= slack;
        if (Size is { } size)
        {
            _against = agrees && limit == size ? 0 : _against + 1;
            if (_against < ContradictionsToForget)
            {
                return false;
            }

            Forget();
            return true;
        }

        if (!agrees || limit != _limit)
        {
            (_limit, _agreed, _least, _most) = (limit, 0, double.PositiveInfinity, double.NegativeInfinity);
        }

        return agrees && Gather(used, slack * SlacksApart / 2);
    }

    /// <summary>Whatever was known may be wrong; it takes twice as many answers to be known again.</summary>
    public void Forget()
    {
        _needed = Math.Min(MostAnswers, _needed * 2);
        (Size, _agreed, _against, _limit) = (null, 0, 0, 0);
    }

    // Each answer has its own slack, so that a few exact ones are enough among many rounded ones.
    private bool Gather(double used, double apart)
    {
        _agreed++;
        _least = Math.Min(_least, used + apart);
        _most = Math.Max(_most, used - apart);
        if (_agreed < _needed || _most < _least)
        {
            return false;
        }

        Size = _limit;
        return true;
    }
}
