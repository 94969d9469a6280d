using SendProxy.Configuration;

namespace SendProxy.Sending.Attempts;

/// <summary>How one message is attempted. Section <c>upstreams.NAME.retry</c>.</summary>
/// <param name="Attempts">The first included.</param>
/// <param name="BaseDelay">Mean wait before the second attempt.</param>
/// <param name="BudgetRatio">Retries for each first attempt, over the process.</param>
/// <param name="FloorPerSecond">Retries that are always allowed.</param>
internal sealed record RetryOptions(int Attempts, TimeSpan BaseDelay, TimeSpan MaxDelay, double BudgetRatio, double FloorPerSecond)
{
    public static RetryOptions Read(SettingsReader retry)
    {
        var options = new RetryOptions(
            Attempts: (int)retry.Integer("attempts", 4, 1, 10, "Attempts for one request, the first included."),
            BaseDelay: retry.Duration("baseDelay", "200ms", "1ms", "1m", "Mean wait before the second attempt."),
            MaxDelay: retry.Duration("maxDelay", "10s", "1ms", "10m", "Longest wait between two attempts, unless the vendor asks for more."),
            BudgetRatio: retry.Share("budget", "20%", "Retries for each first attempt, counted over the upstream."),
            FloorPerSecond: retry.Rate("floor", "10/s", "Retries that are always allowed.")!.Value.PerSecond);
        retry.Check(options.BaseDelay <= options.MaxDelay, "baseDelay", "must not be longer than maxDelay");
        return options;
    }
}

/// <summary>When an upstream is given a rest. Section <c>upstreams.NAME.breaker</c>.</summary>
internal sealed record BreakerOptions(double FailureRatio, TimeSpan OpenFor)
{
    public static BreakerOptions Read(SettingsReader breaker) => new(
        FailureRatio: breaker.Share("failureRatio", "50%", "Share of failed attempts in 10 s, of at least 20, that opens the breaker; 100% never does short of all."),
        OpenFor: breaker.Duration("openFor", "5s", "500ms", "10m", "How long nothing is sent before one probe goes out."));
}
