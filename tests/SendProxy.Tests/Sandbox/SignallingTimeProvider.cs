using Microsoft.Extensions.Time.Testing;
using SendProxy.Sandbox.Recording;

namespace SendProxy.Tests.Sandbox;

/// <summary>A simulated time that notes each timer made, so that a test moves on only when someone waits.</summary>
internal sealed class SignallingTimeProvider : FakeTimeProvider
{
    public BoundedLog<long> Timers { get; } = new(1000);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        // The sandbox's queue of events makes a timer that is not armed.
        if (dueTime != Timeout.InfiniteTimeSpan) { Timers.Append(0L, static (number, _) => number); }
        return timer;
    }
}
