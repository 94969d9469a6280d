using Microsoft.Extensions.Time.Testing;
using SendProxy.Errors;
using SendProxy.Sending;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>Several limits of one request: all give a permit, or none is held.</summary>
public class PermitAcquirerTests
{
    private static readonly PermitRequest One = new(LaneTable.Default.Usual, 1, false);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _log = [];

    [Fact]
    public async Task Take_AllHaveRoom_TakesOneOfEachWithoutAWait()
    {
        ScriptedLimiter[] limits = [New("a"), New("b"), New("c")];
        var permits = new Permit[3];

        Assert.Null(await TakeAsync(limits, permits));

        Assert.All(limits, l => Assert.Equal(1, l.Held));
        Assert.All(permits, p => Assert.Equal(PermitMode.Ready, p.Mode));
        Assert.Empty(_log);
    }

    [Fact]
    public async Task Take_ALaterOneRefuses_HoldsNone()
    {
        ScriptedLimiter[] limits = [New("a"), New("b"), New("c", Long, false)];
        limits[2].Wait = Refuse;

        var refusal = await TakeAsync(limits);

        Assert.Equal((ProxyError.RateLimited, Sent.No, TimeSpan.FromSeconds(7)), (refusal!.Error, refusal.Sent, refusal.RetryAfter));
        Assert.Contains("limits.c ", refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(["back a", "back b", "wait c"], _log);
        Assert.All(limits, l => Assert.Equal(0, l.Held));
    }

    [Fact]
    public async Task Take_WhileOneIsWaitedFor_HoldsNoOther()
    {
        ScriptedLimiter[] limits = [New("a"), New("b", Long, false)];
        var heldMeanwhile = -1;
        limits[1].Wait = _ =>
        {
            heldMeanwhile = limits[0].Held;
            return new(Permit.Granted(PermitMode.Reserved, 1));
        };

        var permits = new Permit[2];
        Assert.Null(await TakeAsync(limits, permits));

        Assert.Equal(0, heldMeanwhile);
        Assert.All(limits, l => Assert.Equal(1, l.Held));
        Assert.Equal([PermitMode.Ready, PermitMode.Reserved], permits.Select(p => p.Mode));
    }

    [Fact]
    public async Task Take_SeveralAreShort_WaitsForTheScarcestFirst()
    {
        ScriptedLimiter[] limits = [New("a", Long, false), New("b", 2 * Long, false)];

        Assert.Null(await TakeAsync(limits));

        Assert.Equal("wait b", _log[0]);
        Assert.All(limits, l => Assert.Equal(1, l.Held));
    }

    [Fact]
    public async Task Take_AnotherIsShortForLongAfterTheWait_GivesBackWhatItWaitedFor()
    {
        ScriptedLimiter[] limits = [New("a", Long, true, false), New("b", Long, false)];

        Assert.Null(await TakeAsync(limits));

        Assert.Equal(["back a", "wait b", "back b", "wait a"], _log);
        Assert.All(limits, l => Assert.Equal(1, l.Held));
    }

    // The short one is worth the while: what was waited for is kept, and the other waited for.
    [Fact]
    public async Task Take_AnotherIsShortForAMoment_KeepsWhatItWaitedFor()
    {
        ScriptedLimiter[] limits = [New("a", TimeSpan.FromMilliseconds(20), true, false), New("b", Long, false)];

        Assert.Null(await TakeAsync(limits));

        Assert.Equal(["back a", "wait b", "wait a"], _log);
        Assert.All(limits, l => Assert.Equal(1, l.Held));
    }

    [Fact]
    public async Task Take_ALaterOneRefusesAfterTheWait_HoldsNone()
    {
        ScriptedLimiter[] limits = [New("a"), New("b", Long, false), New("c", default, false)];
        limits[2].Wait = Refuse;

        Assert.NotNull(await TakeAsync(limits));

        Assert.Equal(["wait b", "wait a", "wait c"], _log.Where(l => l.StartsWith("wait", StringComparison.Ordinal)));
        Assert.All(limits, l => Assert.Equal(0, l.Held));
    }

    [Fact]
    public async Task Take_CancelledAfterTheWait_HoldsNone()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        ScriptedLimiter[] limits = [New("a"), New("b", Long, false), New("c", default, false)];
        limits[2].Wait = async token =>
        {
            await cancellation.CancelAsync();
            return await ValueTask.FromCanceled<Permit>(token);
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await PermitAcquirer.TakeAsync(
            limits, Requests(limits), new Permit[3], Deadline.In(TimeSpan.FromSeconds(30), _time), cancellation.Token));

        Assert.All(limits, l => Assert.Equal(0, l.Held));
    }

    // Each has a maxWait of 5 s: the second wait is as long as the first one left, whichever bound is nearer.
    [Theory]
    [InlineData(30, 5, 3)]
    [InlineData(4, 4, 2)]
    public async Task Take_SeveralWaits_AreBoundedTogether(int deadlineSeconds, int first, int second)
    {
        ScriptedLimiter[] limits = [New("a", Long, true, false), New("b", Long, false)];
        limits[1].Wait = _ =>
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            return new(Permit.Granted(PermitMode.Reserved, 1));
        };

        Assert.Null(await TakeAsync(limits, deadlineSeconds: deadlineSeconds));

        Assert.Equal(first, Assert.Single(limits[1].MaxWaits).TotalSeconds, 3);
        Assert.Equal(second, Assert.Single(limits[0].MaxWaits).TotalSeconds, 3);
    }

    [Fact]
    public void GiveBack_OnlyWhatWasAcquired_GoesBack()
    {
        ScriptedLimiter[] limits = [New("a"), New("b")];

        PermitAcquirer.GiveBack(limits, Requests(limits), [Permit.Granted(PermitMode.Ready, 1), Permit.Refused(PermitRefusal.QueueFull, Long)]);

        Assert.Equal(["back a"], _log);
    }

    private static PermitRequest[] Requests(ScriptedLimiter[] limits) => [.. limits.Select(_ => One)];

    private static ValueTask<Permit> Refuse(CancellationToken cancellation) =>
        new(Permit.Refused(PermitRefusal.WaitTooLong, TimeSpan.FromSeconds(7)));

    private ScriptedLimiter New(string name, TimeSpan predicted = default, params bool[] tries) =>
        new(name, _log, TimeSpan.FromSeconds(5)) { Predicted = predicted, Tries = new(tries) };

    private ValueTask<Refusal?> TakeAsync(ScriptedLimiter[] limits, Permit[]? permits = null, int deadlineSeconds = 30) => PermitAcquirer.TakeAsync(
        limits, Requests(limits), permits ?? new Permit[limits.Length], Deadline.In(TimeSpan.FromSeconds(deadlineSeconds), _time),
        TestContext.Current.CancellationToken);
}
