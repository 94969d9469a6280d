using SendProxy.Sending.RateLimiting;
using SendProxy.Tests.Sending.Limits.Simulation;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>Fixed windows whose beginning the vendor's headers give away, in virtual time: docs/RATE-LIMITS.md, 7, docs/decisions/0013.</summary>
public sealed class FleetSimulationWindowTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 200, 1, ResetForm.Milliseconds)]
    [InlineData(10, 200, 1, ResetForm.SecondsDown)]
    [InlineData(50, 200, 1, ResetForm.UnixSeconds)]
    [InlineData(3, 1000, 5, ResetForm.SecondsUp)]
    [InlineData(10, 2000, 10, ResetForm.SecondsDown)]
    [InlineData(50, 2000, 10, ResetForm.Milliseconds)]
    [InlineData(10, 6000, 60, ResetForm.UnixSeconds)]
    public void Saturated_PhaseSeen_UsesWhatBunchingLeavesOfEachWindow(int processes, int permits, int seconds, object reset)
    {
        var plan = WorldOptions.Window(permits, seconds);
        var bunching = LimitParameters.Bunching((double)permits / seconds, LimitParameters.UsualSpread);
        var known = 20 + (15 * seconds);
        foreach (var seed in (int[])[1, 2])
        {
            var figures = Run(new WorldOptions
            {
                Processes = processes,
                Plan = plan,
                HasHeaders = true,
                Reset = (ResetForm)reset,
                Seconds = known + Math.Max(10, 2 * seconds),
                Seed = seed,
            });

            Assert.Equal(0, figures.Refusals);
            var use = figures.UseIn(known, known + Math.Max(10, 2 * seconds));
            Assert.True(use >= 0.98 * (permits - bunching) / permits, $"{use:P2} {figures}");
        }
    }

    // From half the plan to three times it at once, about the edge: a burst there must not come on top.
    [Theory]
    [InlineData(1, 200, 1)]
    [InlineData(10, 200, 1)]
    [InlineData(1, 2000, 10)]
    [InlineData(3, 2000, 10)]
    [InlineData(50, 2000, 10)]
    [InlineData(10, 5000, 1)]
    public void LoadSurges_PhaseSeen_NoRefusal(int processes, int permits, int seconds)
    {
        var seen = 0.0;
        for (var seed = 1; seed <= 6; seed++)
        {
            var figures = Run(Surge(processes, permits, seconds, (15 * seconds) - 1 + ((seed - 2) * 0.04)) with { Seed = seed, Phase = 0 });

            Assert.Equal(0, figures.Refusals);
            seen = Math.Max(seen, figures.InWindow);
        }

        Assert.True(seen > 0.1, $"{seen}");
    }

    // A vendor that the safe shape would not offend must not be offended, whatever its headers make of its windows.
    [Theory]
    [InlineData(200, 1, HeaderNoise.Lagging, false, 0)]
    [InlineData(200, 1, HeaderNoise.Rounded, false, 0)]
    [InlineData(200, 1, HeaderNoise.None, true, 0)]
    [InlineData(200, 1, HeaderNoise.None, false, 0.4)]
    [InlineData(1000, 5, HeaderNoise.Lagging, false, 0)]
    [InlineData(1000, 5, HeaderNoise.None, true, 0)]
    [InlineData(1000, 5, HeaderNoise.None, false, 0.7)]
    public void LoadSurges_HeadersMislead_NoRefusal(int permits, int seconds, object noise, bool beginsWithARequest, double moves)
    {
        for (var seed = 1; seed <= 4; seed++)
        {
            var surge = 12.0 * seconds;
            var figures = Run(Surge(10, permits, seconds, surge) with
            {
                Noise = (HeaderNoise)noise,
                BeginsWithARequest = beginsWithARequest,
                Seed = seed,
                PhaseMove = moves > 0 ? (surge - (seed * seconds / 3.0), moves) : null,
            });

            Assert.Equal(0, figures.Refusals);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void StoreAway_PhaseSeen_NoRefusalAndSeenAgain(bool emptied)
    {
        var figures = Run(new WorldOptions
        {
            Plan = WorldOptions.Window(200, 1),
            HasHeaders = true,
            Reset = ResetForm.Milliseconds,
            Away = (20.3, 24.6, emptied),
            Seconds = 60,
        });

        Assert.Equal(0, figures.Refusals);
        Assert.True(figures.UseIn(50, 60) >= 0.92, $"{figures.UseIn(50, 60)}");
    }

    [Fact]
    public void OneRefusal_PhaseSeen_IsForgottenForAMinute()
    {
        var options = new WorldOptions { Plan = WorldOptions.Window(200, 1), HasHeaders = true, Reset = ResetForm.Milliseconds, Refusal = (20, 1), Seed = 2 };

        Assert.Equal(0, Run(options with { Seconds = 79 }).InWindowFrom(21.5));
        Assert.True(Run(options with { Seconds = 100 }).InWindowFrom(80) > 0);
    }

    [Theory]
    [InlineData(false, FeedbackMode.Tighten, HeaderNoise.None, ResetForm.Milliseconds)]
    [InlineData(true, FeedbackMode.Tighten, HeaderNoise.None, ResetForm.None)]
    [InlineData(true, FeedbackMode.Observe, HeaderNoise.None, ResetForm.Milliseconds)]
    [InlineData(true, FeedbackMode.Off, HeaderNoise.None, ResetForm.Milliseconds)]
    [InlineData(true, FeedbackMode.Tighten, HeaderNoise.Lagging, ResetForm.SecondsUp)]
    public void Headers_MissingOrLateOrNotToBeLearned_NothingIsCountedInWindows(bool headers, object learn, object noise, object reset)
    {
        var figures = Run(new WorldOptions
        {
            Plan = WorldOptions.Window(1000, 5) with { Learn = (FeedbackMode)learn },
            Load = 0.5,
            HasHeaders = headers,
            Noise = (HeaderNoise)noise,
            Reset = (ResetForm)reset,
            Seconds = 60,
        });

        Assert.Equal(0, figures.InWindow);
    }

    // What the exact count is for: the same rate without it is too much as soon as a burst comes before its end.
    [Fact]
    public void Control_PhaseBelievedWithoutCounting_IsCaught()
    {
        var figures = Run(Surge(10, 2000, 10, 149) with { Phase = 0, Flaw = FleetFlaw.PhaseIsBelieved });

        Assert.True(figures.Refusals > 0, figures.ToString());
    }

    private static WorldOptions Surge(int processes, int permits, int seconds, double at) => new()
    {
        Processes = processes,
        Plan = WorldOptions.Window(permits, seconds),
        Load = 0.5,
        Surge = (at, 3),
        HasHeaders = true,
        Reset = ResetForm.SecondsUp,
        Seconds = at + (2.5 * seconds),
    };

    private FleetFigures Run(WorldOptions options)
    {
        var figures = new FleetWorld(options).Run();
        output.WriteLine($"{figures} in windows {figures.InWindow:P0}");
        return figures;
    }
}
