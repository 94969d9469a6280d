using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using SendProxy.Sending.Attempts;
using SendProxy.Upstreams;

namespace SendProxy.Sending;

/// <summary>A vendor with what goes before each attempt: breaker, retry budget, the pipeline for what follows the first.</summary>
internal sealed class UpstreamPipeline : IDisposable
{
    /// <summary>How a pipeline finds the send it works for.</summary>
    public static readonly ResiliencePropertyKey<SendContext> ContextKey = new("send");

    private const int BreakerMinimum = 20;

    private readonly CircuitBreakerStateProvider _breaker = new();

    private static readonly TimeSpan BreakerWindow = TimeSpan.FromSeconds(10);

    public UpstreamPipeline(Upstream upstream, RetryOptions retry, BreakerOptions breaker, SendingMetrics metrics, TimeProvider time)
    {
        Upstream = upstream;
        Retry = retry;
        Breaker = breaker;
        Budget = new RetryBudget(retry.BudgetRatio, retry.FloorPerSecond, time);
        Attempt = BuildBreaker(upstream.Name, breaker, _breaker, metrics, time);
        Retries = BuildRetries(retry, time);
        metrics.BreakerOpen(upstream.Name, false);
    }

    public Upstream Upstream { get; }

    public RetryOptions Retry { get; }

    public BreakerOptions Breaker { get; }

    public RetryBudget Budget { get; }

    /// <summary>The breaker is closed: attempts run outside of it, and it is only told how they ended.</summary>
    public bool IsClosed => _breaker.CircuitState == CircuitState.Closed;

    /// <summary>Around each attempt while the breaker is not closed: it holds them up, or lets one through as a probe.</summary>
    public ResiliencePipeline<AttemptResult> Attempt { get; }

    /// <summary>Around what follows the first attempt.</summary>
    public ResiliencePipeline<AttemptResult> Retries { get; }

    public void Dispose() => Upstream.Dispose();

    /// <summary>
    /// Tells the breaker of an attempt that went while it was closed. It counts as if it had run inside. The
    /// result is known already, so that nothing waits, unless the breaker opens because of it. Once it is open, attempts from before change nothing.
    /// </summary>
    public ValueTask ReportAsync(AttemptResult result)
    {
        if (!IsClosed)
        {
            return ValueTask.CompletedTask;
        }

        var context = ResilienceContextPool.Shared.Get();
        var told = Attempt.ExecuteOutcomeAsync(static (_, known) => new ValueTask<Outcome<AttemptResult>>(Outcome.FromResult(known)), context, result);
        if (!told.IsCompletedSuccessfully)
        {
            return EndAsync(told, context);
        }

        _ = told.Result;
        ResilienceContextPool.Shared.Return(context);
        return ValueTask.CompletedTask;
    }

    private static async ValueTask EndAsync(ValueTask<Outcome<AttemptResult>> told, ResilienceContext context)
    {
        await told;
        ResilienceContextPool.Shared.Return(context);
    }

    private static ResiliencePipeline<AttemptResult> BuildRetries(RetryOptions retry, TimeProvider time)
    {
        // One more than is configured: the attempt with the other credential after a 401 does not count. RetryDecision decides after
        // each attempt; the predicate and the delay only read it, and what the retry costs is paid when Polly begins it.
        var builder = new ResiliencePipelineBuilder<AttemptResult> { TimeProvider = time };
        return builder.AddRetry(new RetryStrategyOptions<AttemptResult>
        {
            MaxRetryAttempts = retry.Attempts,
            MaxDelay = null,
            ShouldHandle = static args => new(args.Outcome.Result is not null && ContextOf(args.Context).Decision.IsRetry),
            DelayGenerator = static args => new(ContextOf(args.Context).Decision.Delay),
            OnRetry = static args =>
            {
                ContextOf(args.Context).BeginRetry();
                return ValueTask.CompletedTask;
            },
        }).Build();
    }

    private static ResiliencePipeline<AttemptResult> BuildBreaker(
        string name, BreakerOptions breaker, CircuitBreakerStateProvider state, SendingMetrics metrics, TimeProvider time)
    {
        var builder = new ResiliencePipelineBuilder<AttemptResult> { TimeProvider = time };
        return builder.AddCircuitBreaker(new CircuitBreakerStrategyOptions<AttemptResult>
        {
            FailureRatio = Math.Max(0.01, breaker.FailureRatio),
            MinimumThroughput = BreakerMinimum,
            SamplingDuration = BreakerWindow,
            BreakDuration = breaker.OpenFor,
            StateProvider = state,
            // That no connection was free says nothing about the vendor's health.
            ShouldHandle = static args => new(args.Outcome.Result is { Error: not Errors.ProxyError.UpstreamBusy } result && result.Outcome
                is AttemptOutcome.NothingWritten or AttemptOutcome.Failed or AttemptOutcome.Broke
                or AttemptOutcome.ResponseBroke or AttemptOutcome.RejectionBroke),
            OnOpened = _ => Tell(true),
            OnClosed = _ => Tell(false),
        }).Build();

        ValueTask Tell(bool open)
        {
            metrics.BreakerOpen(name, open);
            return ValueTask.CompletedTask;
        }
    }

    private static SendContext ContextOf(ResilienceContext context) => context.Properties.GetValue(ContextKey, null!);
}
