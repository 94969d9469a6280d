using SendProxy.Sending.RateLimiting.Feedback;
using SendProxy.Tests.Sending.Limits.Simulation;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>Vendors whose headers are to tell how they count, in virtual time: docs/decisions/0013.</summary>
public sealed class FleetSimulationAutoTests(ITestOutputHelper output)
{
    private const int Rate = 200;
    private const int Burst = 40;
    private const string IsBucket = "(a bucket of 40, by its headers)";

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(50)]
    public void Bucket_ResetToldFinely_IsSeenBySomeSecondsAndThenUsedAsOne(int processes)
    {
        foreach (var seed in (int[])[1, 2, 3])
        {
            var options = Bucket() with { Processes = processes, Seed = seed };
            var figures = Run(options);
            var told = Run(options with { Plan = WorldOptions.Bucket(Rate, Burst) });

            Assert.Equal(0, figures.Refusals);
            Assert.All(figures.Members, m => Assert.EndsWith(IsBucket, m.Why, StringComparison.Ordinal));
            Assert.All(figures.Members, m => Assert.InRange(m.Findings.Single(f => f.Kind == FeedbackFindingKind.Form).At, 1e6, 31e6));
            Assert.True(figures.UseIn(35, 60) >= 0.99 * told.UseIn(35, 60), $"{figures.UseIn(35, 60)} of {told.UseIn(35, 60)}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(50)]
    public void Bucket_LoadSurges_NoRefusal(int processes)
    {
        for (var seed = 1; seed <= 3; seed++)
        {
            var figures = Run(Bucket() with { Processes = processes, Load = 0.5, Surge = (15, 3), Seconds = 35, Seed = seed });

            Assert.Equal(0, figures.Refusals);
        }
    }

    // Each reset is one second, full or empty: nothing can be seen, and what is safe either way stays in force.
    [Theory]
    [InlineData(1, ResetForm.SecondsUp)]
    [InlineData(10, ResetForm.SecondsDown)]
    [InlineData(10, ResetForm.UnixSeconds)]
    [InlineData(50, ResetForm.SecondsUp)]
    public void Bucket_ResetToldTooCoarsely_IsNeitherSeenNorTakenForASmallerPlan(int processes, object reset)
    {
        var figures = Run(Bucket() with { Processes = processes, Reset = (ResetForm)reset });

        Assert.Equal(0, figures.Refusals);
        Assert.True(figures.Use >= 0.86, figures.ToString());
        Assert.DoesNotContain(figures.Members, m => m.Findings.Any(f => f.Kind is FeedbackFindingKind.Form or FeedbackFindingKind.Drift) || m.Why.Contains('(', StringComparison.Ordinal));
    }

    // What auto is for: the bucket's size, taken for the plan, leaves four fifths of it unused.
    [Fact]
    public void Control_LimitTakenForASmallerPlan_LeavesMostOfItUnused()
    {
        var figures = Run(Bucket() with { Plan = WorldOptions.Window(Rate, 1) });

        Assert.True(figures.Use < 0.25, figures.ToString());
    }

    [Theory]
    [InlineData(1, 200, 1, ResetForm.None)]
    [InlineData(10, 200, 1, ResetForm.Milliseconds)]
    [InlineData(50, 200, 1, ResetForm.SecondsUp)]
    [InlineData(3, 1000, 5, ResetForm.SecondsDown)]
    [InlineData(10, 2000, 10, ResetForm.UnixSeconds)]
    [InlineData(50, 2000, 10, ResetForm.Milliseconds)]
    public void FixedWindows_AreUsedAsWithCountsWindow(int processes, int permits, int seconds, object reset)
    {
        var length = 20 + (20 * seconds);
        foreach (var seed in (int[])[1, 2])
        {
            var options = Bucket() with
            {
                Plan = WorldOptions.Auto(permits, seconds),
                Vendor = WorldOptions.Window(permits, seconds),
                Processes = processes,
                Reset = (ResetForm)reset,
                Seconds = length,
                Seed = seed,
            };
            var figures = Run(options);
            var told = Run(options with { Plan = WorldOptions.Window(permits, seconds) });

            Assert.Equal(0, figures.Refusals);
            Assert.True(figures.Use >= told.Use - 0.01, $"{figures.Use} of {told.Use}");
            Assert.Equal(figures.InWindow > 0, told.InWindow > 0);
            Assert.DoesNotContain(figures.Members, m => m.Why.Contains("bucket", StringComparison.Ordinal));
        }
    }

    // One refusal, whatever it was for, costs its process what it had seen, and no rate beyond the cut.
    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public void Bucket_OneRefusal_IsForgottenAndSeenAgain(int processes)
    {
        var figures = Run(Bucket() with { Processes = processes, Refusal = (20, 1), Seconds = 80 });

        Assert.Equal(0, figures.Refusals);
        Assert.Contains(figures.Members, m => m.Findings.Count(f => f.Kind == FeedbackFindingKind.Form) >= 2);
        Assert.True(figures.UseIn(25, 80) >= 0.97, $"{figures.UseIn(25, 80)}");
        Assert.All(figures.Members, m => Assert.EndsWith(IsBucket, m.Why, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(50)]
    public void FixedWindows_OfASmallerPlan_AreLearnedFromRefusalsAndThenKept(int processes)
    {
        var figures = Run(Bucket() with { Processes = processes, Vendor = WorldOptions.Window(160, 1), Seconds = 200 });

        Assert.InRange(figures.Refusals, 1, 30);
        Assert.Equal(0, figures.RefusalsIn(140, 200));
        Assert.Contains(figures.Members, m => m.Why.EndsWith("(the vendor says 160)", StringComparison.Ordinal));
        Assert.True(figures.UseIn(140, 200) >= 0.72, $"{figures.UseIn(140, 200)}");
    }

    // Its size is no plan: the resets are none of a window's, however often it refuses.
    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(50)]
    public void Bucket_FillsMoreSlowlyThanThePlan_IsLearnedWithoutACapToItsSize(int processes)
    {
        var figures = Run(Bucket() with { Processes = processes, VendorParts = [(10, 0.8)], Seconds = 100 });

        Assert.InRange(figures.RefusalsIn(10, 100), 1, 40);
        Assert.True(figures.UseIn(20, 100) >= 0.8 * 0.85, $"{figures.UseIn(20, 100)}");
    }

    private static WorldOptions Bucket() => new()
    {
        Plan = WorldOptions.Auto(Rate, 1),
        Vendor = WorldOptions.Bucket(Rate, Burst),
        HasHeaders = true,
        NamesLimit = true,
        Reset = ResetForm.Milliseconds,
        Seconds = 60,
    };

    private FleetFigures Run(WorldOptions options)
    {
        var figures = new FleetWorld(options).Run();
        output.WriteLine($"{figures} in windows {figures.InWindow:P0}; {figures.Members[0].Why}");
        return figures;
    }
}
