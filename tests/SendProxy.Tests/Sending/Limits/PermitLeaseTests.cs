using SendProxy.Errors;
using SendProxy.Sending;
using SendProxy.Sending.RateLimiting;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Sending.Limits;

// The permits of one attempt end once, by whatever its owner does first.
public sealed class PermitLeaseTests : IAsyncDisposable
{
    private static readonly RateHint SevenLeft = new() { Remaining = 7 };

    private readonly List<string> _log = [];
    private readonly SendingFixture _fixture = new();
    private readonly ScriptedLimiter[] _limits;

    public PermitLeaseTests() => _limits = [new ScriptedLimiter("a", _log), new ScriptedLimiter("b", _log)];

    [Fact]
    public async Task Dispose_NothingWasSent_GivesAllBackOnce()
    {
        var permits = await AcquireAsync();
        Assert.Equal((1, 1), (_limits[0].Held, _limits[1].Held));

        permits.Dispose();
        permits.Dispose();
        permits.Complete();

        Assert.Equal(["back a", "back b"], _log);
    }

    [Fact]
    public async Task Complete_ThenDispose_AreUsedOnceWithWhatTheVendorSaid()
    {
        var permits = await AcquireAsync();

        permits.Complete(SevenLeft);
        permits.Complete();
        permits.Dispose();

        Assert.Equal(["used a, 7 left", "used b, 7 left"], _log);
    }

    [Fact]
    public async Task Complete_VendorRefusedThePlan_IsThrottledAndLearnsNothing()
    {
        var permits = await AcquireAsync();

        permits.Complete(SevenLeft, RefusalScope.Plan);

        Assert.Equal(["used a", "throttle a", "used b", "throttle b"], _log);
    }

    [Fact]
    public async Task Acquire_NoPermit_SaysWhyAndHoldsNothing()
    {
        _limits[1].Tries.Enqueue(false);
        _limits[1].Wait = _ => new(Permit.Refused(PermitRefusal.WaitTooLong, TimeSpan.FromSeconds(7)));

        var permits = await AcquireAsync();
        permits.Dispose();

        Assert.Equal((ProxyError.RateLimited, 0, 0), (permits.Refusal!.Error, _limits[0].Held, _limits[1].Held));
    }

    [Fact]
    public async Task Acquire_PlanWithoutLimits_IsShared()
    {
        var permits = await PermitLease.AcquireAsync(Message([]), isRepeat: false, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Same(PermitLease.Unlimited, permits);
        Assert.Null(permits.Refusal);
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    private ValueTask<PermitLease> AcquireAsync() =>
        PermitLease.AcquireAsync(Message(_limits), isRepeat: false, TimeProvider.System, TestContext.Current.CancellationToken);

    private OutboundMessage Message(IReadOnlyList<PlanLimiter> limits) => _fixture.Message(plan: _fixture.Plan with { Limits = limits });
}
