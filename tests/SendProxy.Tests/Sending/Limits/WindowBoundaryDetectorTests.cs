using SendProxy.Sending.RateLimiting.Feedback;

namespace SendProxy.Tests.Sending.Limits;

public sealed class WindowBoundaryDetectorTests
{
    private const double Second = 1_000_000;
    private const int Permits = 1000;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(4, false)]
    [InlineData(5, true)]
    public void Hear_WindowsThatAgree_TellsTheEdgeFromTheFifth(int windows, bool told)
    {
        var edge = Windows(new WindowBoundaryDetector(Window, Permits), windows);

        Assert.Equal(told, edge is not null);
        if (edge is { } found)
        {
            Assert.False(found.IsElsewhere);
            Assert.InRange(0, (found.Latest - found.Width).Value % (10 * Second) - (10 * Second), found.Latest.Value % (10 * Second));
            Assert.InRange(found.Width.Seconds, 0, 0.1);
        }
    }

    [Fact]
    public void Hear_EdgeElsewhere_SaysSoAndAsksForTwiceAsMany()
    {
        var edges = new WindowBoundaryDetector(Window, Permits);
        Windows(edges, 5);

        var moved = Windows(edges, 1, from: 5, offset: 3 * Second);

        Assert.True(moved?.IsElsewhere);
        Assert.Null(Windows(edges, 8, from: 6, offset: 3 * Second));
        Assert.False(Windows(edges, 1, from: 14, offset: 3 * Second)!.Value.IsElsewhere);
    }

    // As the window of a key begins with its first request: a little later each time.
    [Fact]
    public void Hear_WindowsThatDriftAway_AreNotBelievedForLong()
    {
        var edges = new WindowBoundaryDetector(Window, Permits);
        var told = Enumerable.Range(0, 200).Count(i => Windows(edges, 1, from: i, offset: i * 0.03 * Second) is { IsElsewhere: false });

        Assert.InRange(told, 0, 3);
    }

    [Theory]
    [InlineData(60, 60)]
    [InlineData(0, 1)]
    [InlineData(5, 5)]
    public void Hear_ResetOfAnotherPeriod_TellsNothing(int before, int after)
    {
        var edges = new WindowBoundaryDetector(Window, Permits);

        Assert.DoesNotContain(Enumerable.Range(1, 20), i => Jump(edges, i * 10 * Second, before, after) is not null);
    }

    // What may have come back by itself is no edge; a rise beyond it is one.
    [Theory]
    [InlineData(0, true)]
    [InlineData(5_000, true)]
    [InlineData(20_000, false)]
    public void Hear_RiseThatABucketCouldMake_IsNoEdge(double refill, bool told) =>
        Assert.Equal(told, Windows(new WindowBoundaryDetector(Window, Permits, refill), 5) is not null);

    // Answers that overtook each other: what remains seems to rise by what went out in between.
    [Fact]
    public void Hear_AnswersOutOfOrder_AreNoEdge()
    {
        var edges = new WindowBoundaryDetector(Window, Permits);
        var told = Enumerable.Range(1, 50).Select(i =>
        {
            var at = i * 10 * Second;
            edges.Hear(new(at), new(at + (0.5 * Second)), 400, TimeSpan.FromSeconds(0), 100, 20);
            return edges.Hear(new(at - (0.1 * Second)), new(at + (0.51 * Second)), 460, TimeSpan.FromSeconds(10), 100, 20);
        });

        Assert.All(told, Assert.Null);
    }

    private static WindowBoundary? Windows(WindowBoundaryDetector edges, int windows, int from = 0, double offset = 0)
    {
        WindowBoundary? last = null;
        for (var i = from; i < from + windows; i++)
        {
            last = Jump(edges, ((i + 1) * 10 * Second) + offset, 0, 10);
        }

        return last;
    }

    private static WindowBoundary? Jump(WindowBoundaryDetector edges, double at, int resetBefore, int resetAfter)
    {
        var before = edges.Hear(new(at - (0.05 * Second)), new(at - (0.02 * Second)), 100, TimeSpan.FromSeconds(resetBefore), 100, 20);
        return edges.Hear(new(at - (0.01 * Second)), new(at + (0.02 * Second)), 999, TimeSpan.FromSeconds(resetAfter), 100, 20) ?? before;
    }
}
