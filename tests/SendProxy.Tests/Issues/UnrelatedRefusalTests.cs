using SendProxy.Configuration;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Feedback;
using SendProxy.Tests.Sending.Limits.Simulation;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Issues;

/// <summary>What a vendor's headers prove weighs more than a status: a 429 that comes while permits remain is none of the plan's.</summary>
public sealed class UnrelatedRefusalTests(ITestOutputHelper output)
{
    private const double Second = 1e6;
    private static readonly LimitOptions Plan = new("plan", new Rate(60, TimeSpan.FromSeconds(1)), false, 1, TimeSpan.FromSeconds(5), 1000);

    // 15 of 100 requests fail so at random, each asking for a second, at a vendor that says that it has room.
    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(10, true)]
    [InlineData(3, false)]
    public void Fleet_RandomFaultsOfAVendorWithRoom_KeepItsRate(int processes, bool isWindow)
    {
        var figures = Run(new WorldOptions
        {
            Processes = processes,
            Plan = isWindow ? WorldOptions.Window(60, 1) : WorldOptions.Bucket(60, 20),
            HasHeaders = true,
            NamesLimit = true,
            Reset = ResetForm.Milliseconds,
            Unrelated = (0.15, 1),
            Seconds = 60,
        });

        // What is refused so counts as use of the plan too: 80 % is what goes out of what a safe window leaves.
        var sent = figures.Vendor.Arrivals.Count(a => (a.At - 1e6) / 1e6 >= 10) / 50.0;
        Assert.True(sent >= (isWindow ? 45 : 56), $"{sent}/s {figures}");
    }

    // A vendor that really has less is learned as before: its headers say that nothing remains.
    [Fact]
    public void Fleet_VendorThatHasLess_IsStillLearned()
    {
        var figures = Run(new WorldOptions { HasHeaders = true, VendorParts = [(10, 0.8)], Seconds = 60 });

        Assert.InRange(figures.RefusalsIn(10, 60), 0, 3);
        Assert.True(figures.UseIn(30, 60) / 0.8 >= 0.95, figures.ToString());
    }

    [Theory]
    [InlineData(30L, null, null, true)]
    [InlineData(1L, 60L, 0.5, true)]
    [InlineData(0L, 60L, 0.5, false)]
    [InlineData(4000L, 100_000L, 40_000.0, false)]
    [InlineData(30L, 100_000L, null, false)]
    [InlineData(30L, null, 3600.0, false)]
    public void Refusal_WithItsOwnHeaders_IsUnrelatedWhereTheyAreOfThisPlanAndSayThatPermitsRemain(long? remaining, long? limit, double? reset, bool unrelated)
    {
        var detector = Heard(50, 40);

        Assert.Equal(unrelated, detector.IsUnrelated(Refusal(remaining, limit, reset), new(2 * Second)));
    }

    [Theory]
    [InlineData(50, 0.1, true)]
    [InlineData(50, 0.9, false)]
    [InlineData(50, 30, false)]
    [InlineData(5, 0.1, false)]
    public void Refusal_WithoutHeaders_IsUnrelatedWhereTheAnswerBeforeProvesRoom(long remaining, double ago, bool unrelated)
    {
        var detector = Heard(40, remaining);

        Assert.Equal(unrelated, detector.IsUnrelated(Refusal(null, null, null), new((1 + ago) * Second)));
    }

    [Fact]
    public void Refusal_OfAVendorWhoseHeaderNeverMoves_IsTheLimits() =>
        Assert.False(Heard(59, 59, 59).IsUnrelated(Refusal(59, null, null), new(2 * Second)));

    [Fact]
    public void Refusal_ThatARuleDeclares_IsTheLimits() =>
        Assert.False(Heard(50, 40).IsUnrelated(Refusal(30, null, null) with { IsDeclared = true }, new(2 * Second)));

    [Fact]
    public void Refusals_MoreThanHalfOfTheAnswers_AreTheLimitsWhateverTheySay()
    {
        var detector = Heard(50, 40);

        Assert.Equal(10, Enumerable.Range(0, 12).Count(_ => detector.IsUnrelated(Refusal(30, null, null), new(2 * Second))));
    }

    [Theory]
    [InlineData("{\"error\":{\"code\":131056}}", Meaning.RecipientThrottled)]
    [InlineData("{\"error\":{\"code\":130429}}", Meaning.Throttled)]
    public void Meta_PairRateLimit_IsThatOfOneRecipient(string body, object meaning)
    {
        using var file = new Configuration.SettingsFile();
        var rules = file.Load("""
            version: 1
            upstreams: { whatsapp: { preset: meta, address: "https://graph.facebook.com", credential: { file: key } } }
            routes: [{ name: send, upstream: whatsapp, match: { path: /send } }]
            """).Upstreams["whatsapp"].Options.Classify;

        Assert.Equal((Meaning)meaning, Classifier.Judge(rules, 400, _ => null, System.Text.Encoding.UTF8.GetBytes(body)).Meaning);
    }

    private static UnrelatedRefusalDetector Heard(params long[] remaining)
    {
        var detector = new UnrelatedRefusalDetector(Plan);
        foreach (var left in remaining)
        {
            detector.ObserveSuccess(new RateLimitFeedbackSample(left, null, null, TimeSpan.Zero, TimeSpan.Zero), new(Second));
        }

        return detector;
    }

    private static VendorRefusal Refusal(long? remaining, long? limit, double? reset) =>
        new(TimeSpan.FromSeconds(1), false, remaining, limit, reset is { } seconds ? TimeSpan.FromSeconds(seconds) : null, false);

    private FleetFigures Run(WorldOptions options)
    {
        var figures = new FleetWorld(options).Run();
        output.WriteLine(figures.ToString());
        return figures;
    }
}
