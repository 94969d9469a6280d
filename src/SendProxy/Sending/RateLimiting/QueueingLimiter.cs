using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Sending.RateLimiting;

/// <summary>A limit whose permits are waited for in a line.</summary>
internal abstract class QueueingLimiter(LimitOptions options, LaneTable lanes, LimitMetrics.Series series) : PlanLimiter(options, lanes)
{
    protected LimitMetrics.Series Series => series;

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

    /// <summary>Takes what may be used without a look at anybody else.</summary>
    protected abstract bool TryReady(in PermitRequest request, out Permit permit);

    /// <summary>Into the line; who comes back with <see cref="Waiter.Given"/> was served or refused at once.</summary>
    protected abstract Waiter Enter(PermitRequest request, TimeSpan maxWait);

    /// <summary>Out of the line. One that was served at the same moment keeps its permit: whoever waits for it has it.</summary>
    protected abstract void Leave(Waiter waiter, CancellationToken token);

    /// <summary>Under the limit's lock.</summary>
    protected void Refuse(Waiter waiter, Permit permit)
    {
        RefusedCount++;
        if (!waiter.IsTry)
        {
            series.Refused(waiter.Lane, permit.Reason);
        }

        waiter.End(permit);
    }

    /// <summary>Timers count whole milliseconds and cut the rest off: rounded up, or one would spin through the last of them.</summary>
    protected static TimeSpan TimerSpan(double microseconds) => TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(microseconds / 1000), 1, 60_000));
}
