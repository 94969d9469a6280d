using CsCheck;
using SendProxy.Sending.RateLimiting.Feedback;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>True buckets are known for them and never refuted; windows and logs are never taken for one, whatever the load.</summary>
public sealed class TokenBucketDetectorTests
{
    private static readonly Gen<double> Blurs = Gen.OneOf<double>(0.001, 0.01, 0.1, 1.0, 2.0);
    private static readonly Gen<double> Rates = Gen.OneOf<double>(0.5, 2.0, 10.0, 50.0, 200.0, 1000.0);

    // Seconds between two answers, in units of 1 / rate: bursts, the plan's own pace, and rests.
    private static readonly Gen<double> Steady = Gen.OneOf<double>(0.0, 0.3, 0.67, 1.0, 1.5, 3.0);
    private static readonly Gen<double[]> Gaps = Gen.OneOf(
        Steady.Array[600],
        Steady.Select(g => Enumerable.Repeat(g, 600).ToArray()),
        Gen.OneOf(Gen.Double[0, 3], Gen.Const(0.0), Gen.Double[0, 60]).Array[600],
        Gen.Select(Steady, Gen.Double[0.5, 1.5].Array[600], (gap, noise) => noise.Select(n => n * gap).ToArray()));

    [Fact]
    public void Bucket_AnyLoadInAnyOrder_IsProvenWhereItsUseCanBeToldAndNeverRefuted() =>
        Gen.Select(Rates, Gen.Int[1, 400], Blurs, Gaps, Gen.Int[0, 3], Gen.Int).Sample((rate, size, blur, gaps, rounding, seed) =>
        {
            var answers = Bucket(rate, size, gaps).Where(a => a.Remaining >= 0).Select(a => a with { Reset = Told(a.Reset, blur, rounding) }).ToArray();
            new Random(seed).Shuffle(answers);
            var signs = new TokenBucketDetector(rate);
            var changes = answers.Count(a => signs.Hear(size, a.Remaining, TimeSpan.FromSeconds(a.Reset), TimeSpan.FromSeconds(blur)));
            var (least, most) = (answers.Min(a => size - a.Remaining) / rate, answers.Max(a => size - a.Remaining) / rate);
            var told = answers.Length >= 20 && most - least > 4 * (blur + (1 / rate) + 0.001) + 1e-9;

            return changes == (told ? 1 : 0) && signs.Size == (told ? size : null);
        });

    [Fact]
    public void FixedWindow_AnyPhaseAndLoad_IsNeverProven() =>
        Gen.Select(Rates, Gen.OneOf<double>(1.0, 5.0, 10.0, 60.0, 3600.0), Blurs, Gaps, Gen.Double[0, 1], Gen.Bool, Gen.Int[0, 3]).Sample((rate, length, blur, gaps, phase, byRequest, rounding) =>
        {
            var signs = new TokenBucketDetector(rate);
            return Window(rate, length, gaps, phase, byRequest)
                .All(a => !signs.Hear(a.Limit, a.Remaining, TimeSpan.FromSeconds(Told(a.Reset, blur, rounding)), TimeSpan.FromSeconds(blur)));
        }, iter: 2000);

    [Fact]
    public void SlidingLog_AnyLoad_IsNeverProven() =>
        Gen.Select(Rates, Gen.OneOf<double>(1.0, 5.0, 10.0, 60.0, 3600.0), Blurs, Gaps, Gen.Enum<LogReset>(), Gen.Int[0, 3]).Sample((rate, length, blur, gaps, form, rounding) =>
        {
            var signs = new TokenBucketDetector(rate);
            return Log(rate, length, gaps, form)
                .All(a => !signs.Hear(a.Limit, a.Remaining, TimeSpan.FromSeconds(Told(a.Reset, blur, rounding)), TimeSpan.FromSeconds(blur)));
        }, iter: 2000);

    // Whole seconds of a bucket that fills in a fifth of one: each reset is 1, as a window's would be.
    [Fact]
    public void Bucket_ResetTooCoarseForItsSize_ProvesNothing()
    {
        var signs = new TokenBucketDetector(200);

        Assert.DoesNotContain(Enumerable.Range(0, 5000), i => signs.Hear(40, i % 40, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
    }

    [Theory]
    [InlineData(19, false)]
    [InlineData(20, true)]
    public void Hear_AnswersThatAgree_ProveFromTheTwentieth(int answers, bool proven) =>
        Assert.Equal(proven ? 40 : null, Heard(new TokenBucketDetector(200), answers).Size);

    [Theory]
    [InlineData(39, false)]
    [InlineData(40, true)]
    public void Forget_AsksForTwiceAsMany(int answers, bool proven)
    {
        var signs = Heard(new TokenBucketDetector(200), 20);

        signs.Forget();

        Assert.Null(signs.Size);
        Assert.Equal(proven ? 40 : null, Heard(signs, answers).Size);
    }

    [Fact]
    public void Forget_Often_StaysWithinItsBound()
    {
        var signs = new TokenBucketDetector(200);
        for (var i = 0; i < 20; i++)
        {
            signs.Forget();
        }

        Assert.Null(Heard(signs, 5119).Size);
        Assert.Equal(40, Heard(signs, 1).Size);
    }

    [Theory]
    [InlineData(40, 30, 0.2)]
    [InlineData(41, 30, 0.055)]
    [InlineData(40, 41, 0)]
    public void Hear_OneContradictionWhileGathering_BeginsAnew(int limit, int remaining, double reset)
    {
        var signs = Heard(new TokenBucketDetector(200), 19);

        signs.Hear(limit, remaining, TimeSpan.FromSeconds(reset), TimeSpan.FromMilliseconds(1));

        Assert.Null(Heard(signs, 19).Size);
        Assert.Equal(40, Heard(signs, 1).Size);
    }

    [Theory]
    [InlineData(2, 40L)]
    [InlineData(3, null)]
    public void Hear_ContradictionsOnceKnown_EndItFromTheThirdInARow(int contradictions, long? size)
    {
        var signs = Heard(new TokenBucketDetector(200), 20);
        Contradict(signs, contradictions - 1);
        Heard(signs, 1);

        Contradict(signs, contradictions);

        Assert.Equal(size, signs.Size);
    }

    [Fact]
    public void Hear_BucketOfAnotherSize_IsForgottenAndThenKnownByItsOwn()
    {
        var signs = Heard(new TokenBucketDetector(200), 20);

        Assert.Equal(80, Heard(signs, 50, size: 80).Size);
    }

    // A bucket that fills more slowly than the plan says is none at the plan's rate, as soon as it is used.
    [Fact]
    public void Hear_BucketOfHalfTheRate_ProvesNothing()
    {
        var signs = new TokenBucketDetector(200);

        Assert.DoesNotContain(Bucket(100, 40, [.. Enumerable.Repeat(0.9, 1000)]), a =>
            signs.Hear(40, a.Remaining, TimeSpan.FromSeconds(a.Reset), TimeSpan.FromMilliseconds(1)));
    }

    private static TokenBucketDetector Heard(TokenBucketDetector signs, int answers, int size = 40)
    {
        for (var i = 0; i < answers; i++)
        {
            var used = 1 + (i * 7 % 20);
            signs.Hear(size, size - used, TimeSpan.FromSeconds(used / 200.0), TimeSpan.FromMilliseconds(1));
        }

        return signs;
    }

    private static void Contradict(TokenBucketDetector signs, int answers)
    {
        for (var i = 0; i < answers; i++)
        {
            signs.Hear(40, 30, TimeSpan.FromSeconds(0.5), TimeSpan.FromMilliseconds(1));
        }
    }

    private static IEnumerable<(long Remaining, double Reset)> Bucket(double rate, int size, double[] gaps)
    {
        double level = size;
        foreach (var gap in gaps)
        {
            level = Math.Min(size, level + gap);
            if (level >= 1)
            {
                level--;
                yield return ((long)level, (size - level) / rate);
            }
        }
    }

    private static IEnumerable<(long Limit, long Remaining, double Reset)> Window(double rate, double length, double[] gaps, double phase, bool byRequest)
    {
        var limit = (long)Math.Max(1, rate * length);
        var (now, begun, count) = (1000.0, double.NegativeInfinity, 0L);
        foreach (var gap in gaps)
        {
            now += gap / rate;
            var starts = byRequest ? (now < begun + length ? begun : now) : (Math.Floor((now / length) + phase) - phase) * length;
            (begun, count) = (starts, starts != begun ? 0 : count);
            if (count < limit)
            {
                count++;
                yield return (limit, limit - count, begun + length - now);
            }
        }
    }

    private static IEnumerable<(long Limit, long Remaining, double Reset)> Log(double rate, double length, double[] gaps, LogReset form)
    {
        var limit = (long)Math.Max(1, rate * length);
        var (now, log) = (1000.0, new Queue<double>());
        foreach (var gap in gaps)
        {
            now += gap / rate;
            var newest = log.LastOrDefault(now);
            while (log.TryPeek(out var oldest) && now - oldest >= length)
            {
                log.Dequeue();
            }

            if (log.Count < limit)
            {
                log.Enqueue(now);
                yield return (limit, limit - log.Count, form switch { LogReset.Window => length, LogReset.OthersGone => Math.Max(0, newest + length - now), _ => log.Peek() + length - now });
            }
        }
    }

    // Rounded up, down, to the nearest, or as far off as it may be.
    private static double Told(double seconds, double blur, int rounding) => Math.Max(0, rounding switch
    {
        0 => Math.Ceiling(seconds / blur) * blur,
        1 => Math.Floor(seconds / blur) * blur,
        2 => Math.Round(seconds / blur) * blur,
        _ => seconds + blur - 1e-6,
    });

    /// <summary>What a log tells as its reset.</summary>
    private enum LogReset
    {
        /// <summary>Until all that is in it is gone: the window.</summary>
        Window,

        /// <summary>Until all that came before the request is gone.</summary>
        OthersGone,

        /// <summary>Until the oldest is gone.</summary>
        OldestGone,
    }
}
