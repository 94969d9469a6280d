using SendProxy.Configuration;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Feedback;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>What <c>counts: auto</c> makes of a vendor's answers.</summary>
public sealed class RateLimitFeedbackTests
{
    private const double Second = 1_000_000;
    private static readonly LimitOptions Auto = new("plan", new Rate(200, TimeSpan.FromSeconds(1)), false, 200, TimeSpan.FromSeconds(5), 1000) { CountsAuto = true };
    private static readonly LimitParameters Window = LimitParameters.For(Auto with { CountsAuto = false }, LimitParameters.UsualSpread);
    private double _now = 10 * Second;

    [Fact]
    public void Shape_NothingHeard_IsThatOfWindows() => Assert.Equal(Window, new RateLimitFeedback(Auto).Parameters);

    [Theory]
    [InlineData(200, 6, 2)]
    [InlineData(40, 6, 2)]
    [InlineData(20, 4, 1)]
    [InlineData(8, 1, 0)]
    [InlineData(2, 1, 0)]
    public void Hear_LimitBelowThePlan_IsNoCapButTheStricterOfBothForms(int limit, double burst, double reserve)
    {
        var book = new RateLimitFeedback(Auto);
        Hear(book, limit, limit - 1, 1, blur: 1);

        var bucket = LimitParameters.For(Auto with { CountsBucket = true, Burst = limit }, LimitParameters.UsualSpread);
        Assert.Equal((Math.Min(Window.Rate, bucket.Rate), burst, reserve), (book.Parameters.Rate, book.Parameters.Base, book.Parameters.Reserve));
        Assert.True(book.Parameters.Burst <= bucket.Burst && book.Parameters.InWindow.Rate <= bucket.Rate);
        Assert.Equal("", book.Why(1, isInWindow: false));
    }

    [Fact]
    public void Hear_LessLeftThanThought_IsNoDriftWhileNothingIsKnown()
    {
        var plan = Auto with { Rate = new Rate(2000, TimeSpan.FromSeconds(10)) };
        var (book, told) = (new RateLimitFeedback(plan), new RateLimitFeedback(plan with { CountsAuto = false }));

        Assert.Equal(FeedbackFindingKind.Drift, Hear(told, 2000, 0, 9.5)!.Value.Kind);
        Assert.Null(Hear(book, 2000, 0, 9.5));
    }

    [Theory]
    [InlineData(200, 40)]
    [InlineData(25, 25)]
    public void Hear_BucketProven_IsThatBucketAsFarAsItIsBelieved(int burst, int believed)
    {
        var book = new RateLimitFeedback(Auto with { Burst = burst });
        var findings = Prove(book);

        Assert.Equal(FeedbackFindingKind.Form, Assert.Single(findings, f => f.Kind == FeedbackFindingKind.Form).Kind);
        Assert.Equal(LimitParameters.For(Auto with { CountsBucket = true, Burst = believed }, LimitParameters.UsualSpread), book.Parameters);
        Assert.Equal($" (a bucket of {believed}, by its headers)", book.Why(1, isInWindow: false));
    }

    [Fact]
    public void Hear_BucketProven_DriftIsReadAsOfABucket()
    {
        var book = new RateLimitFeedback(Auto);
        Prove(book);

        Assert.Equal(FeedbackFindingKind.Drift, Hear(book, 40, 4, 0.18, level: 16)!.Value.Kind);
        Assert.NotEqual(FeedbackFindingKind.Drift, Hear(book, 40, 30, 0.05, level: 6)?.Kind);
    }

    [Theory]
    [InlineData(40, 18)]
    [InlineData(28, 6)]
    public void Hear_BucketBelievedInPart_DriftIsReadOfThatPart(int remaining, double level)
    {
        var book = new RateLimitFeedback(Auto with { Burst = 25 });
        Prove(book);

        // Of 25 that are believed of 40: a base of 7, and 18 beyond it.
        Assert.Equal((7, 18), (book.Parameters.Base, book.Parameters.Spare));
        Assert.NotEqual(FeedbackFindingKind.Drift, Hear(book, 40, remaining, (40 - remaining) / 200.0, level: level - 11)?.Kind);
        Assert.Equal(FeedbackFindingKind.Drift, Hear(book, 40, 17, 0.115, level: 7)!.Value.Kind);
    }

    [Fact]
    public void Hear_ContradictionsOfAProvenBucket_EndIt()
    {
        var book = new RateLimitFeedback(Auto);
        Prove(book);

        var findings = Enumerable.Range(0, 3).Select(_ => Hear(book, 40, 30, 0.9)).ToArray();

        Assert.Equal(FeedbackFindingKind.Form, findings[2]!.Value.Kind);
        Assert.Equal(Window.Rate, book.Parameters.Rate);
    }

    [Fact]
    public void Refused_BucketProven_IsForgottenAndAsksForTwiceAsMany()
    {
        var book = new RateLimitFeedback(Auto);
        Prove(book);

        Assert.Equal(FeedbackFindingKind.Form, book.Refused(new(_now)).Form!.Value.Kind);
        Assert.DoesNotContain("bucket", book.Why(1, isInWindow: false), StringComparison.Ordinal);
        Assert.DoesNotContain(Prove(book, 39), f => f.Kind == FeedbackFindingKind.Form);
        Assert.Contains(Prove(book, 1), f => f.Kind == FeedbackFindingKind.Form);
    }

    [Fact]
    public void Refused_LimitBelowThePlan_CapsForAMinuteAndThenForTwo()
    {
        var book = new RateLimitFeedback(Auto);
        Hear(book, 160, 100, 0.9);

        Assert.Equal(FeedbackFindingKind.Limit, book.Refused(new(_now)).Form!.Value.Kind);
        Assert.Equal(" (the vendor says 160)", book.Why(1, isInWindow: false));
        Assert.True(book.Parameters.Rate < 160);
        book.RefusedElsewhere(new(_now + 1));
        Assert.Equal(59, SecondsUntilUncapped(book));
        book.Refused(new(_now));
        Assert.Equal(119, SecondsUntilUncapped(book));
    }

    [Theory]
    [InlineData(0.001, false)]
    [InlineData(1, true)]
    public void Refused_ResetsTooShortForWindows_CapsOnlyWhereTheyAreToldTooCoarsely(double blur, bool capped)
    {
        var book = new RateLimitFeedback(Auto);
        for (var i = 0; i < 250; i++)
        {
            Hear(book, 40, 30 - (i % 5), 0.01, blur: blur);
        }

        book.Refused(new(_now));

        Assert.Equal(capped ? " (the vendor says 40)" : "", book.Why(1, isInWindow: false));
        Hear(book, 40, 30, 0.9);
        Assert.Equal(" (the vendor says 40)", book.Why(1, isInWindow: false));
    }

    [Fact]
    public void RefusedElsewhere_CapsWhatIsNotKnownAndLeavesWhatIs()
    {
        var (unknown, known) = (new RateLimitFeedback(Auto), new RateLimitFeedback(Auto));
        Hear(unknown, 160, 100, 0.9);
        Prove(known);

        Assert.Equal(FeedbackFindingKind.Limit, unknown.RefusedElsewhere(new(_now))!.Value.Kind);
        Assert.Null(unknown.RefusedElsewhere(new(_now + 1)));
        Assert.Null(known.RefusedElsewhere(new(_now)));
        Assert.Equal(" (the vendor says 160)", unknown.Why(1, isInWindow: false));
    }

    [Fact]
    public void RefusedElsewhere_FormIsConfigured_ChangesNothing()
    {
        var book = new RateLimitFeedback(Auto with { CountsAuto = false });
        Hear(book, 160, 100, 0.9);

        Assert.Null(book.RefusedElsewhere(new(_now)));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(160)]
    public void Hear_WindowsSeen_AreKeptToAsWithCountsWindow(int limit)
    {
        var (book, told) = (new RateLimitFeedback(Auto), new RateLimitFeedback(Auto with { CountsAuto = false }));
        var forms = HearWindows(book, limit, told);

        Assert.Equal(1, forms);
        Assert.NotNull(book.TakeEdge());
        Assert.Equal((told.Parameters, told.Why(1, false)), (book.Parameters, book.Why(1, false)));
    }

    [Fact]
    public void Refused_WindowsSeen_AreForgottenAndCapForAMinute()
    {
        var book = new RateLimitFeedback(Auto);
        HearWindows(book, 160);

        Assert.Equal(FeedbackFindingKind.Form, book.Refused(new(_now)).Form!.Value.Kind);
        Assert.Equal(59, SecondsUntilUncapped(book));
    }

    // A job that sends in bursts by the clock: what comes back between two is what a bucket fills up.
    [Fact]
    public void Hear_BucketUsedOnceASecond_IsNoWindow()
    {
        var book = new RateLimitFeedback(Auto);
        for (var i = 0; i < 60; i++)
        {
            // Too coarse to be seen for a bucket; two answers close about the edge that it would be.
            Hear(book, 200, 100, 1, blur: 1, delay: 0.001, passed: 0.92);
            Hear(book, 200, 116, 1, blur: 1, delay: 0.001, passed: 0.08);
        }

        Assert.Null(book.TakeEdge());
    }

    [Fact]
    public void Hear_Observed_SaysWhatWouldBeBelieved()
    {
        var book = new RateLimitFeedback(Auto with { Learn = FeedbackMode.Observe });

        Assert.Single(Prove(book), f => f.Kind == FeedbackFindingKind.Form);
        Assert.Equal(" (a bucket of 40, by its headers; observed only)", book.Why(1, isInWindow: false));
        Assert.Null(Hear(book, 40, 1, 0.19));
    }

    private FeedbackFinding[] Prove(RateLimitFeedback book, int answers = 20) =>
        [.. Enumerable.Range(0, answers).Select(i => Hear(book, 40, 30 - (i % 12), (10 + (i % 12)) / 200.0, level: double.NaN)).OfType<FeedbackFinding>()];

    private int HearWindows(RateLimitFeedback book, int limit, RateLimitFeedback? told = null)
    {
        var forms = 0;
        for (var i = 0; i < 800; i++)
        {
            var (count, reset) = ((long)(_now / 10_000 % 100), 1 - (_now / Second % 1));
            forms += Hear(book, limit, limit - count, reset, delay: 0) is { Kind: FeedbackFindingKind.Form } ? 1 : 0;
            told?.Hear(Granted(), new RateLimitFeedbackSample(limit - count, limit, TimeSpan.FromSeconds(reset), TimeSpan.Zero, TimeSpan.Zero), new(_now));
        }

        return forms;
    }

    private int SecondsUntilUncapped(RateLimitFeedback book)
    {
        var seconds = 0;
        do
        {
            Hear(book, 160, 100, 0.9, passed: 1);
        }
        while (book.Why(1, isInWindow: false).Length > 0 && ++seconds < 1000);
        return seconds;
    }

    private FeedbackFinding? Hear(
        RateLimitFeedback book, long limit, long remaining, double reset, double blur = 0.001, double level = 0, long epoch = 0, double delay = 0.02, double passed = 0.01)
    {
        _now += passed * Second;
        return book.Hear(
            Granted(level, epoch), new RateLimitFeedbackSample(remaining, limit, TimeSpan.FromSeconds(reset), TimeSpan.FromSeconds(blur), TimeSpan.FromSeconds(delay)), new(_now));
    }

    private static Permit Granted(double level = 0, long epoch = 0) => Permit.Granted(PermitMode.Ready, 1, level, epoch);
}
