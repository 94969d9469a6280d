using SendProxy.Tests.Sending.Limits.Simulation;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>The bars of LIMITS.md in virtual time, with the machine and the store of production.</summary>
public sealed class FleetSimulationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 1.5)]
    [InlineData(10, 1.5)]
    [InlineData(50, 1.5)]
    [InlineData(200, 1.5)]
    [InlineData(1, 3)]
    [InlineData(10, 3)]
    [InlineData(50, 3)]
    [InlineData(200, 3)]
    [InlineData(1, 0.3)]
    [InlineData(3, 0.3)]
    [InlineData(10, 0.3)]
    [InlineData(50, 0.3)]
    [InlineData(200, 0.3)]
    [InlineData(1, 0.95)]
    [InlineData(3, 0.95)]
    [InlineData(10, 0.95)]
    [InlineData(50, 0.95)]
    [InlineData(200, 0.95)]
    public void Grid(int processes, double load)
    {
        var figures = new FleetWorld(new WorldOptions { Processes = processes, Load = load }).Run();
        output.WriteLine(figures.ToString());
        Console.WriteLine(figures.ToString());
        Assert.Equal(0, figures.Refusals);
    }
}
