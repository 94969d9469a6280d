using SendProxy.Upstreams.Connections;

namespace SendProxy.Tests.Upstreams;

public class BulkheadTests
{
    [Fact]
    public void Enter_BeyondTheLimit_IsRefusedUntilSomebodyLeaves()
    {
        var bulkhead = new Bulkhead(2);
        Assert.True(bulkhead.TryEnter());
        Assert.True(bulkhead.TryEnter());
        Assert.False(bulkhead.TryEnter());

        bulkhead.Leave();

        Assert.True(bulkhead.TryEnter());
        Assert.False(bulkhead.TryEnter());
    }

    [Fact]
    public void Limit_Lowered_LetsThoseInsideStay()
    {
        var bulkhead = new Bulkhead(2);
        Assert.True(bulkhead.TryEnter());
        Assert.True(bulkhead.TryEnter());

        bulkhead.Limit = 1;
        bulkhead.Leave();

        Assert.False(bulkhead.TryEnter());
        bulkhead.Leave();
        Assert.True(bulkhead.TryEnter());
    }

    // Whatever the order in which they come and go, all places are free in the end, and never more are taken than there are.
    [Fact]
    public async Task Enter_ByManyAtOnce_NeverGoesBeyondTheLimit()
    {
        var bulkhead = new Bulkhead(5);
        var (inside, most) = (0, 0);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                if (bulkhead.TryEnter())
                {
                    var now = Interlocked.Increment(ref inside);
                    InterlockedMax(ref most, now);
                    Interlocked.Decrement(ref inside);
                    bulkhead.Leave();
                }
            }
        }, TestContext.Current.CancellationToken)));

        Assert.InRange(most, 1, 5);
        Assert.Equal([true, true, true, true, true, false], Enumerable.Range(0, 6).Select(_ => bulkhead.TryEnter()));
    }

    private static void InterlockedMax(ref int most, int value)
    {
        var seen = Volatile.Read(ref most);
        while (value > seen && Interlocked.CompareExchange(ref most, value, seen) is var before && before != seen)
        {
            seen = before;
        }
    }
}
