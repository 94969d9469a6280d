using SendProxy.Tests.Sending.Limits.Simulation;

namespace SendProxy.Tests.Issues;

/// <summary>
/// All processes stand still at once (a paused virtual machine, SIGSTOP): what they thought they had is out of date when they go
/// on, since the store and the vendor have gone on.
/// </summary>
public sealed class FrozenFleetTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 3)]
    [InlineData(3, 3)]
    [InlineData(10, 3)]
    [InlineData(50, 3)]
    [InlineData(10, 0.4)]
    [InlineData(10, 1.5)]
    [InlineData(10, 20)]
    public void Bucket_AllStandStill_NoRefusalAfterwards(int processes, double seconds)
    {
        for (var seed = 1; seed <= 5; seed++)
        {
            var figures = new FleetWorld(new WorldOptions { Processes = processes, Freeze = (10.03, seconds), Seconds = 16 + seconds, Seed = seed, MaxWaitSeconds = 5 }).Run();

            output.WriteLine(figures.ToString());
            Assert.Equal(0, figures.Refusals);
            Assert.True(figures.UseIn(12 + seconds, 16 + seconds) >= 0.95, figures.ToString());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public void Window_AllStandStill_NoRefusalAfterwards(int processes)
    {
        for (var seed = 1; seed <= 5; seed++)
        {
            var figures = new FleetWorld(new WorldOptions
            {
                Processes = processes,
                Plan = WorldOptions.Window(200, 1),
                HasHeaders = true,
                Reset = ResetForm.Milliseconds,
                Freeze = (20.03, 3),
                Seconds = 30,
                Seed = seed,
                MaxWaitSeconds = 5,
            }).Run();

            Assert.Equal(0, figures.Refusals);
        }
    }
}
