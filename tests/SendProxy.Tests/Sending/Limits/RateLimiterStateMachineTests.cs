using SendProxy.Sending.RateLimiting.Clocks;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Sending.RateLimiting.Rates;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>The exact state of one process's part, event by event, beside the statistical bars of the simulated fleets.</summary>
public sealed class RateLimiterStateMachineTests
{
    private const double Now = 10_000_000;
    private const double Second = 1_000_000;
    private static readonly LimitParameters Plan = new(100, 20, 0, 0);
    private readonly List<(LimiterMode From, LimiterMode To)> _transitions = [];

    [Fact]
    public void Reply_WithRoom_IsPostPaid()
    {
        var machine = Asked(Room(allowance: 5));

        Assert.Equal((LimiterMode.PostPaid, 5), (machine.Mode, machine.Credit(new(Now))));
    }

    [Theory]
    [InlineData(7, LimiterMode.Reserving)]
    [InlineData(8, LimiterMode.PostPaid)]
    public void Reply_OfAFleet_IsPostPaidFromFourTenthsOfTheBucket(double level, object mode) =>
        Assert.Equal((LimiterMode)mode, Asked(Room(allowance: 1, live: 5) with { Level = level }).Mode);

    [Theory]
    [InlineData(5, LimiterMode.PostPaid)]
    [InlineData(4.9, LimiterMode.Reserving)]
    public void Reply_WhilePostPaid_EndsItBelowAQuarter(double level, object mode)
    {
        var machine = Asked(Room(allowance: 5, live: 5));
        Tell(machine, Now + 20_000, Room(allowance: 1, live: 5) with { Level = level });

        Assert.Equal((LimiterMode)mode, machine.Mode);
    }

    [Fact]
    public void GivenBack_PostPaid_CanBeUsedAgain()
    {
        var machine = Asked(Room(allowance: 5));
        machine.OnSpent(3);

        machine.OnGivenBack(new(Now), Permit.Granted(PermitMode.Ready, 2));

        Assert.Equal(4, machine.Credit(new(Now)));
    }

    [Fact]
    public void GivenBack_WhileTheStoreIsUnavailable_CanBeUsedAgainAtOnce()
    {
        var machine = Asked(null);
        var first = Granted(machine, Now + Second);
        Assert.Null(Request(machine, Now + Second, wait: 0).Given?.Mode);

        machine.OnGivenBack(new(Now + Second), first);

        Assert.Equal(PermitMode.Share, Granted(machine, Now + Second).Mode);
    }

    [Fact]
    public void Reserved_NotNeeded_GoesBackAtItsOwnTime()
    {
        var machine = Asked(Room(allowance: 0) with { Slots = [new(new(50_000), new(123_456))] });
        machine.OnCancelled(new(Now), _waiters[0]);

        Assert.Equal([new(123_456)], machine.TakeCall()!.Returned);
    }

    [Theory]
    [InlineData(2_499_999, 5)]
    [InlineData(2_500_000, 0)]
    public void Credit_EndsWithItsKnowledge(double later, int credit) => Assert.Equal(credit, Asked(Room(allowance: 5)).Credit(new(Now + later)));

    [Fact]
    public void Throttled_WithSlotsInHand_UsesNoneOfThemAfterTheBlock()
    {
        var machine = Asked(Room(allowance: 0) with { Slots = [new(new(50_000), new(1))] }, wait: 10 * Second);

        machine.OnThrottled(new(Now), new(Second));
        Tell(machine, Now, Room(allowance: 0) with { Blocked = new(Second) });
        machine.Advance(new(Now + Second + 1));

        Assert.Equal(0, Count(machine));
        Assert.Equal((LimiterMode.Reserving, 1), (machine.Mode, machine.TakeCall()!.Want));
    }

    [Fact]
    public void Blocked_AllThatWaitLess_AreRefusedAtOnceWithTheBlocksEnd()
    {
        var machine = Machine();
        var waiter = Request(machine, Now, wait: 2 * Second);

        machine.OnThrottled(new(Now), new(5 * Second));

        var (refused, permit) = Assert.Single(machine.Ended);
        Assert.Equal((waiter, PermitRefusal.WaitTooLong, 5001), (refused, permit.Reason, permit.RetryAfter.TotalMilliseconds));
        Assert.Equal(LimiterMode.Blocked, machine.Mode);
    }

    [Fact]
    public void Slot_OlderThanTheHorizon_IsNotUsed()
    {
        var machine = Asked(Room(allowance: 0) with { Slots = [new(new(50_000), new(1))] }, wait: 10 * Second);

        machine.Advance(new(Now + 50_000 + RateLimitConstants.Horizon + 1));

        Assert.Equal(0, Count(machine));
    }

    [Fact]
    public void Slot_AtItsTime_IsUsed()
    {
        var machine = Asked(Room(allowance: 0) with { Slots = [new(new(50_000), new(1))] }, wait: 10 * Second);

        machine.Advance(new(Now + 50_000));

        Assert.Equal(1, Count(machine));
    }

    [Fact]
    public void Reply_ThatAStandstillDelayed_GivesNothing()
    {
        var machine = Machine(replyLife: 150_000);
        Request(machine, Now, wait: 10 * Second);
        machine.TakeCall();

        machine.OnReply(new(Now + 3 * Second), new(Now), Room(allowance: 5) with { Slots = [new(Microseconds.Zero, new(1))] });

        Assert.Equal((0, 0), (Count(machine), machine.Credit(new(Now + 3 * Second))));
    }

    [Fact]
    public void Reply_Missing_KeepsToTheShareAndTellsItsNewsAgain()
    {
        var machine = Machine();
        machine.OnThrottled(new(Now), new(5 * Second), isCapped: true);
        machine.TakeCall();
        machine.OnReply(new(Now), new(Now), null);
        Assert.Equal(LimiterMode.Degraded, machine.Mode);

        machine.Advance(new(Now + Second));
        var call = machine.TakeCall()!;

        Assert.Equal((true, true), (call.WasAway, call.IsCapped));
        Assert.InRange(call.ThrottledFor!.Value.Seconds, 3.9, 4);
    }

    [Fact]
    public void Unblocked_ByAnother_EndsTheBlockWithTheNextReply()
    {
        var machine = Machine();
        machine.OnBlocked(new(Now), new(60 * Second));
        machine.Advance(new(Now + (6 * Second)));
        machine.TakeCall();

        machine.OnReply(new(Now + (6 * Second)), new(Now + (6 * Second)), Room(allowance: 5) with { Lifted = new(5) });

        Assert.Equal((LimiterMode.PostPaid, Now + (6 * Second)), (machine.Mode, machine.BlockedUntil.Value));
    }

    [Fact]
    public void Probe_Answered_IsToldAndAsksAtOnce()
    {
        var machine = Asked(Room(allowance: 0) with { IsProbing = true, Slots = [new(Microseconds.Zero, new(1))] }, wait: 10 * Second);
        Assert.True(Assert.Single(machine.Ended).Permit.IsProbe);
        Assert.Equal(LimiterMode.Probing, machine.Mode);

        machine.OnProbeEnded(new(Now), ProbeResult.Answered);

        Assert.Equal(ProbeResult.Answered, machine.TakeCall()!.Probe);
    }

    [Fact]
    public void Disposed_IsTheEnd()
    {
        var machine = Asked(Room(allowance: 5));
        machine.OnDisposed();
        machine.OnThrottled(new(Now), new(Second));

        Assert.Equal(LimiterMode.Closed, machine.Mode);
        Assert.All(_transitions, t => Assert.True(LimiterModes.IsAllowed(t.From, t.To)));
    }

    // The page draws what the table says.
    [Fact]
    public void Transitions_StandOnThePage()
    {
        var page = File.ReadAllText(Path.Combine(Tidy.SourceTree.Root, "docs/RATE-LIMITS.md"));

        foreach (var (from, next) in LimiterModes.Transitions)
        {
            Assert.Contains($"| `{from}` | {(next.Length == 0 ? "none" : string.Join(", ", next.Select(n => $"`{n}`")))} |", page, StringComparison.Ordinal);
        }
    }

    private readonly List<Waiter> _waiters = [];

    private static RateLimitReply Room(int allowance, int live = 1) =>
        new() { Now = new(1e15), Tat = new(1e15), Level = 20, Allowance = allowance, Quantum = 10, Epoch = 1, Live = live, Active = 1 };

    private static int Count(RateLimiterStateMachine machine) => machine.Ended.Count(e => e.Permit.IsAcquired);

    private RateLimiterStateMachine Machine(double replyLife = double.PositiveInfinity) => new("p", Plan, LaneTable.Default, isShared: true, 1, () => 0)
    {
        ReplyLife = new(replyLife),
        OnTransition = (from, to) => _transitions.Add((from, to)),
    };

    // A machine that asked for one request and was answered so.
    private RateLimiterStateMachine Asked(RateLimitReply? reply, double wait = Second)
    {
        var machine = Machine();
        _waiters.Add(Request(machine, Now, wait));
        Tell(machine, Now, reply);
        if (reply is { Allowance: > 0 })
        {
            // Whoever asked went with the first of them: it counts for nothing in these tests.
            machine.Ended.Clear();
            machine.OnSpent(-1);
        }

        return machine;
    }

    private static void Tell(RateLimiterStateMachine machine, double now, RateLimitReply? reply)
    {
        machine.TakeCall();
        machine.OnReply(new(now), new(now), reply);
    }

    private static Waiter Request(RateLimiterStateMachine machine, double now, double wait)
    {
        var waiter = new Waiter(LaneTable.Default.Usual, 1, isRepeat: false, new(now), new(now + wait));
        machine.OnRequest(new(now), waiter);
        return waiter;
    }

    private static Permit Granted(RateLimiterStateMachine machine, double now)
    {
        machine.Ended.Clear();
        Request(machine, now, wait: 0);
        return Assert.Single(machine.Ended).Permit;
    }
}
