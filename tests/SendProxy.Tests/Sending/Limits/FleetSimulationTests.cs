using SendProxy.Tests.Sending.Limits.Simulation;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>
/// The bars of docs/RATE-LIMITS.md in virtual time, with the machine and the store of production: what two cores cannot run as processes.
/// Figures of each run are in the test's output; eng/campaign.sh limits gathers them.
/// </summary>
public sealed class FleetSimulationTests(ITestOutputHelper output)
{
    private const int Rate = 200;
    private const int Burst = 40;

    [Theory]
    [InlineData(1, 1.5)]
    [InlineData(10, 1.5)]
    [InlineData(50, 1.5)]
    [InlineData(200, 1.5)]
    [InlineData(1, 3)]
    [InlineData(10, 3)]
    [InlineData(50, 3)]
    [InlineData(200, 3)]
    public void Bar1And3And4_Saturated_UsesThePlanWithoutRefusal(int processes, double load)
    {
        var figures = Run(new WorldOptions { Processes = processes, Load = load, Seconds = 60 });

        Assert.Equal(0, figures.Refusals);
        Assert.True(figures.Use >= 0.99, figures.ToString());
        Assert.True(figures.LargestSecond <= Rate + Burst, figures.ToString());
        Assert.True(figures.CallsPerSend <= 2.5, figures.ToString());
        Assert.True(figures.Wait(.5, "otp") <= 2 && figures.Wait(.99, "otp") <= 100, figures.ToString());
        Assert.Equal(0, figures.Lost("otp"));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(10, 1)]
    [InlineData(50, 1)]
    [InlineData(10, 10)]
    public void Bar1_FixedWindowOfAnyPhase_UsesWhatHeadroomLeaves(int processes, int seconds)
    {
        var plan = WorldOptions.Window(Rate * seconds, seconds);
        var shape = SendProxy.Sending.RateLimiting.LimitParameters.For(plan, SendProxy.Sending.RateLimiting.LimitParameters.UsualSpread);
        foreach (var seed in (int[])[1, 2, 3])
        {
            var figures = Run(new WorldOptions { Processes = processes, Plan = plan, Seconds = 60, Seed = seed });

            Assert.Equal(0, figures.Refusals);
            Assert.True(figures.Use >= 0.98 * shape.Rate / Rate, $"{figures} of {shape.Rate}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(50)]
    public void Bar2And3_Room_NobodyWaits(int processes)
    {
        var figures = Run(new WorldOptions { Processes = processes, Load = 0.3, Seconds = 60 });

        Assert.Equal(0, figures.Refusals);
        Assert.True(figures.Unwaited >= 0.9 && figures.Wait(.99) <= 5, figures.ToString());
        Assert.True(figures.CallsPerSend <= 1.1, figures.ToString());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(200)]
    public void Bar2_NearlyFull_HalfWaitNoMillisecond(int processes)
    {
        var figures = Run(new WorldOptions { Processes = processes, Load = 0.95, Seconds = 60 });

        Assert.Equal(0, figures.Refusals);
        Assert.True(figures.Wait(.5) <= 1, figures.ToString());
    }

    // From half the plan to three times it at once: what was allowed in advance must not come on top.
    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(50)]
    [InlineData(200)]
    public void Bar1_LoadSurges_NoRefusal(int processes)
    {
        for (var seed = 1; seed <= 3; seed++)
        {
            var figures = Run(new WorldOptions { Processes = processes, Load = 0.5, Surge = (10, 3), Seconds = 20, Seed = seed });

            Assert.Equal(0, figures.Refusals);
        }
    }

    [Fact]
    public void Bar4_Bulk_KeepsItsShare()
    {
        var figures = Run(new WorldOptions { Load = 2, UrgentShare = 0.1, BulkShare = 0.6, Seconds = 60 });

        Assert.Equal(0, figures.Refusals);
        Assert.InRange(figures.UseOf("bulk"), 0.18, 1);
        Assert.Equal(0, figures.Lost("otp"));
    }

    [Theory]
    [InlineData(10, 1.5, 10, true)]
    [InlineData(50, 1.5, 10, true)]
    [InlineData(10, 1.5, 10, false)]
    [InlineData(10, 0.3, 10, true)]
    [InlineData(50, 0.3, 60, true)]
    [InlineData(10, 1.5, 60, true)]
    public void Bar5_StoreAway_CostsShareNotSends(int processes, double load, int seconds, bool emptied)
    {
        var figures = Run(new WorldOptions { Processes = processes, Load = load, Seconds = seconds + 25, Away = (10, 10 + seconds, emptied), MaxWaitSeconds = 5 });

        output.WriteLine($"during: use {figures.UseIn(11, 10 + seconds):P1}; after: {figures.UseIn(12 + seconds, 25 + seconds):P1}");
        Assert.Equal(0, figures.Refusals);
        Assert.True(load < 1 || figures.UseIn(11, 10 + seconds) >= 0.95, figures.ToString());
        Assert.True(load < 1 || figures.UseIn(12 + seconds, 25 + seconds) >= 0.95, figures.ToString());
    }

    [Fact]
    public void Bar6_OneOfTenDies_TheOthersUseThePlan()
    {
        var figures = Run(new WorldOptions { Kill = 10, Seconds = 20 });

        Assert.Equal(0, figures.Refusals);
        Assert.True(figures.UseIn(10, 11) >= 0.95, $"{figures.UseIn(10, 11)} {figures}");
    }

    [Theory]
    [InlineData(0.95)]
    [InlineData(1.5)]
    public void Bar6_TenBecomeFifty_NoRefusal(double load)
    {
        var figures = Run(new WorldOptions { Processes = 50, Load = load, Join = (10, 10), Seconds = 25 });

        Assert.Equal(0, figures.Refusals);
    }

    [Theory]
    [InlineData(true, 0, 0.99)]
    [InlineData(false, 30, 0.90)]
    public void Bar7_VendorHasLess_IsLearned(bool headers, int refusals, double use)
    {
        for (var seed = 1; seed <= 5; seed++)
        {
            var figures = Run(new WorldOptions { HasHeaders = headers, VendorParts = [(10, 0.8)], Seconds = 60, Seed = seed });

            output.WriteLine($"refused {figures.RefusalsIn(10, 60)}, used from 20 s on {figures.UseIn(30, 60) / 0.8:P1}");
            Assert.True(figures.RefusalsIn(10, 60) <= refusals, $"{figures.RefusalsIn(10, 60)} {figures}");
            Assert.True(figures.UseIn(30, 60) / 0.8 >= use, $"{figures.UseIn(30, 60) / 0.8} {figures}");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Bar7_VendorHasMoreAgain_IsFoundWithinAMinute(bool headers)
    {
        var figures = Run(new WorldOptions { HasHeaders = headers, VendorParts = [(10, 0.8), (40, 1)], Seconds = 115 });

        output.WriteLine($"refused {figures.Refusals}, used {figures.UseIn(100, 115):P1}");
        Assert.True(figures.UseIn(100, 115) >= 0.97, $"{figures.UseIn(100, 115)} {figures}");
    }

    // Headers lag, are rounded, or come from another's view: what they say may cost a little, never the plan.
    [Theory]
    [InlineData(HeaderNoise.None, 0.99)]
    [InlineData(HeaderNoise.Rounded, 0.95)]
    [InlineData(HeaderNoise.Lagging, 0.90)]
    public void Bar7_VendorAsConfigured_LearningCostsLittle(object noise, double use)
    {
        var figures = Run(new WorldOptions { HasHeaders = true, Noise = (HeaderNoise)noise, Seconds = 60 });

        Assert.Equal(0, figures.Refusals);
        Assert.True(figures.Use >= use, figures.ToString());
    }

    [Fact]
    public void Bar8_OneRefusal_StopsAllUntilItsEnd()
    {
        var figures = Run(new WorldOptions { Refusal = (10, 2), Seconds = 20 });
        var refused = (figures.Vendor.RefusedAt - 1e6) / 1e6;
        var known = 0.5;

        var during = figures.Vendor.Arrivals.Count(a => (a.At - 1e6) / 1e6 > refused + known && (a.At - 1e6) / 1e6 < refused + 2);
        Assert.Equal(0, during);
        Assert.Equal(0, figures.Refusals);
        Assert.True(figures.Vendor.Arrivals.Count(a => (a.At - 1e6) / 1e6 is var s && s >= refused + 2 && s < refused + 3) <= Rate + Burst);
    }

    // Who saw the 429 tells the state that forgot it.
    [Fact]
    public void Bar5_StoreEmptiedInABlock_BlockSurvives()
    {
        var figures = Run(new WorldOptions { Refusal = (10, 6), Away = (11, 12, true), Seconds = 25 });
        var refused = (figures.Vendor.RefusedAt - 1e6) / 1e6;

        Assert.DoesNotContain(figures.Vendor.Arrivals, a => (a.At - 1e6) / 1e6 is var s && s > refused + 0.5 && s < refused + 6);
        Assert.Equal(0, figures.Refusals);
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1, 6)]
    public void Bar9_LowRates_AreExact(int permits, int seconds)
    {
        var figures = Run(new WorldOptions { Plan = WorldOptions.Window(permits, seconds), Load = 3, Seconds = 400, MaxWaitSeconds = 20, UpSeconds = 0.003 });

        Assert.Equal(0, figures.Refusals);
        Assert.True(figures.Use >= 0.95 - (0.0001 * seconds), figures.ToString());
    }

    [Theory]
    [InlineData(5)]
    [InlineData(-5)]
    [InlineData(60)]
    [InlineData(-60)]
    public void Bar9_ClockOfTheStoreJumps_NoneOver(double by)
    {
        var figures = Run(new WorldOptions { ClockJumps = [(10, by), (14, -by)], Seconds = 20 });

        Assert.Equal(0, figures.Refusals);
        Assert.True(figures.UseIn(10, 20) >= 0.95, figures.ToString());
    }

    // The negative controls: what the bars above would let through if they did not look.
    [Theory]
    [InlineData(FleetFlaw.OwnLimit, 1, 0, 1.5)]
    [InlineData(FleetFlaw.TokensNeverExpire, 1, 0, 0.5)]
    [InlineData(FleetFlaw.RetriesSkipTheLimiter, 0.8, 30, 1.5)]
    public void Control_FlawedFleet_IsCaught(object flaw, double vendor, int allowed, double load)
    {
        var figures = Run(new WorldOptions { Processes = 3, Flaw = (FleetFlaw)flaw, VendorParts = [(10, vendor)], Load = load, Surge = (20, 1.5), Seconds = 60 });

        Assert.True(figures.RefusalsIn(10, 60) > allowed, figures.ToString());
    }

    [Theory]
    [InlineData(FleetFlaw.None, true)]
    [InlineData(FleetFlaw.ClockIsBelieved, false)]
    public void Control_ClockThatJumpsOften_IsCaughtWhereItIsBelieved(object flaw, bool holds)
    {
        var figures = Run(new WorldOptions
        {
            Flaw = (FleetFlaw)flaw,
            Seconds = 20,
            ClockJumps = [.. Enumerable.Range(0, 10).Select(i => (10 + (i * 0.3), 5.0))],
        });

        Assert.Equal(holds, figures.Refusals == 0);
    }

    private FleetFigures Run(WorldOptions options)
    {
        var figures = new FleetWorld(options).Run();
        output.WriteLine(figures.ToString());
        return figures;
    }
}
