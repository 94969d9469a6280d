using SendProxy.Sending.RateLimiting.Clocks;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Sending.RateLimiting;

/// <summary>A limit whose permits are waited for in a line: its clock, its lock, and the timer that wakes it are here.</summary>
internal abstract class QueueingLimiter : PlanLimiter
{
    private readonly ITimer _wake;

    protected QueueingLimiter(LimitOptions options, LimiterServices services)
        : base(options, services.Lanes)
    {
        (Clock, Series) = (new LimiterClock(services.Time), services.Series);
        _wake = services.Time.CreateTimer(static limiter => ((QueueingLimiter)limiter!).OnWake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    protected LimitMetrics.Series Series { get; }

    protected LimiterClock Clock { get; }

    protected Microseconds Now => Clock.Now;

    /// <summary>Held for each look at the limit's state and each change of it, and never over a wait.</summary>
    protected Lock Sync { get; } = new();

    /// <summary>Told of blocks; null: nobody is, as for one value of many.</summary>
    public BlockLog? Blocks { get; init; }

    /// <summary>How many were refused.</summary>
    protected long RefusedCount { get; private set; }

    public sealed override ValueTask<Permit> AcquireAsync(PermitRequest request, TimeSpan maxWait, CancellationToken cancellation)
    {
        if (TryReady(request, out var permit))
        {
            return new(permit);
        }

        cancellation.ThrowIfCancellationRequested();
        var waiter = Enter(request, maxWait < Options.MaxWait ? maxWait : Options.MaxWait);
        if (cancellation.CanBeCanceled && waiter.Given is null)
        {
            waiter.Registration = cancellation.UnsafeRegister(
                static (state, token) =>
                {
                    var (limit, waiter) = ((QueueingLimiter, Waiter))state!;
                    limit.Leave(waiter, token);
                },
                (this, waiter));
        }

        return waiter.Given is { } given ? new(given) : new(waiter.Task);
    }

    /// <summary>Takes a permit that is free at once, without the queue.</summary>
    protected abstract bool TryReady(in PermitRequest request, out Permit permit);

    /// <summary>Enters the queue. A waiter with <see cref="Waiter.Given"/> was served or refused at once.</summary>
    protected abstract Waiter Enter(PermitRequest request, TimeSpan maxWait);

    /// <summary>Leaves the queue. A waiter that was served at the same moment keeps its permit: its task has it.</summary>
    protected abstract void Leave(Waiter waiter, CancellationToken token);

    /// <summary>The time of <see cref="WakeIn"/> has come. Not under the lock.</summary>
    protected abstract void OnWake();

    /// <summary>Has <see cref="OnWake"/> called once after so long; a further call takes the place of the former.</summary>
    protected void WakeIn(Microseconds wait) => _wake.Change(wait.ToTimerSpan(), Timeout.InfiniteTimeSpan);

    protected override void Dispose(bool disposing)
    {
        _wake.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Under the limit's lock.</summary>
    protected void Refuse(Waiter waiter, Permit permit)
    {
        RefusedCount++;
        if (!waiter.IsTry)
        {
            Series.Refused(waiter.Lane, permit.Reason);
        }

        waiter.End(permit);
    }
}
