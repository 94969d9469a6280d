using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Sending.RateLimiting;

/// <summary>What the limiters of a process work with, beside their own limit and the store of its state.</summary>
/// <param name="FleetSize">How many processes share the limits, before that is known.</param>
/// <param name="Draw">Uniform in [0, 1).</param>
internal sealed record LimiterServices(LaneTable Lanes, TimeProvider Time, LimitMetrics.Series Series, int FleetSize, Func<double> Draw);
