using SendProxy.Sending.RateLimiting.Clocks;
using SendProxy.Sending.RateLimiting.Concurrency;

namespace SendProxy.Tests.Sending.Limits;

public sealed class ConcurrencyShareTests
{
    private static readonly Microseconds Now = Microseconds.FromSeconds(1);

    [Fact]
    public void ToldShort_IdleSlots_GoBackAtOnce()
    {
        var lease = Leased(10, used: 3);
        Assert.Null(lease.NextCall(Now, 0));

        lease.ToldShort();

        Assert.Equal((3, 3), lease.NextCall(Now, 0) is { } call ? (call.Kept, call.Wanted) : default);
        Assert.Equal(0, lease.Free(Now));
    }

    [Fact]
    public void Replied_NotInTime_KeepsToItsPartOfTheFleet()
    {
        var lease = Leased(10, used: 0, live: 3, rank: 0);

        lease.Replied(Now, Now, new ConcurrencyCall(0, 0, false, null, 0, 3, false, false), null);

        Assert.Equal(4, lease.Cap(Now + Microseconds.FromSeconds(60)));
        Assert.True(lease.IsAway);
    }

    // Others may still use all slots, until they notice that the store is away.
    [Fact]
    public void Replied_NotInTime_WithoutSlotsItsFirstOneComesASecondLater()
    {
        var share = Leased(10, used: 0, live: 2);
        var moment = Now + Microseconds.FromSeconds(0.1);
        share.Replied(Now, Now, new ConcurrencyCall(0, 1, true, null, 0, 2, false, false), new ConcurrencyReply(0, 10, 2, 0, 1, 5, TimeSpan.Zero, TimeSpan.Zero, 2, 10));

        share.Replied(moment, Now, new ConcurrencyCall(0, 1, true, null, 0, 2, false, false), null);

        Assert.Equal((0, 1), (share.Free(moment + Microseconds.FromSeconds(0.9)), share.Free(moment + Microseconds.FromSeconds(1.1))));
        Assert.True(share.LookAt(moment, 1) <= moment + Microseconds.FromSeconds(1));
    }

    // What does not divide goes to the first of them, one each.
    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    public void Replied_NotInTime_TheRemainderIsOfTheFirst(int rank, int slots)
    {
        var lease = Leased(10, used: 0, live: 3, rank: rank);

        lease.Replied(Now, Now, new ConcurrencyCall(0, 0, false, null, 0, 3, false, false), null);

        Assert.Equal(slots, lease.Cap(Now + Microseconds.FromSeconds(60)));
    }

    [Fact]
    public void Probing_OneSlotOnly_UntilItsRequestIsAnswered()
    {
        var lease = Leased(10, used: 0);
        var call = lease.NextCall(Now + Microseconds.FromSeconds(2), 1)!;
        lease.Replied(Now + Microseconds.FromSeconds(2), Now + Microseconds.FromSeconds(2), call, new ConcurrencyReply(1, 1, 1, 0, 0, 1, TimeSpan.Zero, TimeSpan.Zero, 2, 1, IsProbing: true));
        lease.Take(1);
        Assert.Equal((true, 0), (lease.IsProbing, lease.Free(Now + Microseconds.FromSeconds(2))));

        lease.Answered();

        Assert.True(lease.NextCall(Now + Microseconds.FromSeconds(2), 1)!.ProbeAnswered);
    }

    [Fact]
    public void Unblock_EndsTheBlockHereAndIsTold()
    {
        var lease = Leased(10, used: 0);
        lease.Throttle(Now, TimeSpan.FromMinutes(1), isCapped: true);
        Assert.Equal(0, lease.Free(Now));

        lease.Unblock(Now);

        Assert.Equal((10, true), (lease.Free(Now), lease.NextCall(Now, 0)!.Unblocks));
    }

    [Fact]
    public void Replied_NotInTimeWhenClosed_HasNone()
    {
        var lease = Leased(10, used: 0, closed: true);

        lease.Replied(Now, Now, new ConcurrencyCall(0, 0, false, null, 0, 1, false, false), null);

        Assert.Equal(0, lease.Free(Now));
    }

    [Fact]
    public void Lease_NotRenewed_EndsBeforeTheFleetGivesItAway() =>
        Assert.Equal(0, Leased(10, used: 0).Free(Now + Microseconds.From(RedisConcurrencyStore.Lease) - new Microseconds(1)));

    private static ConcurrencyShare Leased(int slots, int used, int live = 1, int rank = 0, bool closed = false)
    {
        var lease = new ConcurrencyShare(10, isShared: true, 1, closed, TimeSpan.FromMinutes(5));
        var call = lease.NextCall(Now, 1)!;
        lease.Replied(Now, Now, call, new ConcurrencyReply(slots, 10, live, rank, 0, 10, TimeSpan.Zero, TimeSpan.Zero, 1, slots));
        lease.Take(used);
        return lease;
    }
}
