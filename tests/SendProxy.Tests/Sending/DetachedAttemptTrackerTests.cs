using Prometheus;
using SendProxy.Errors;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;

namespace SendProxy.Tests.Sending;

public sealed class DetachedAttemptTrackerTests : IDisposable
{
    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();
    private readonly TaskCompletionSource<AttemptResult> _attempt = new();
    private readonly MemoryStream _content = new([1]);
    private readonly DetachedAttemptTracker _tracker;

    public DetachedAttemptTrackerTests() => _tracker = new(new SendingMetrics(Prometheus.Metrics.WithCustomRegistry(_registry)));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Adopt_AttemptEnds_ResponseIsDisposedAfterTheCallback()
    {
        var wasOpen = false;
        _tracker.Adopt(_attempt.Task, "a", _ =>
        {
            wasOpen = _content.CanRead;
            return Task.CompletedTask;
        });

        _attempt.SetResult(Answer());
        await _tracker.DrainAsync(Token);

        Assert.True(wasOpen);
        Assert.False(_content.CanRead);
    }

    [Fact]
    public async Task Adopt_AttemptEnds_IsCountedByUpstreamAndOutcome()
    {
        _tracker.Adopt(_attempt.Task, "a", _ => Task.CompletedTask);
        Assert.Contains("sendproxy_attempts_settling 1\n", await PageAsync(), StringComparison.Ordinal);

        _attempt.SetResult(AttemptResult.Failed(AttemptOutcome.Broke, ProxyError.UpstreamBusy));
        await _tracker.DrainAsync(Token);

        var page = await PageAsync();
        Assert.Contains("sendproxy_attempts_settling 0\n", page, StringComparison.Ordinal);
        Assert.Contains("sendproxy_attempts_settled_total{upstream=\"a\",outcome=\"broke\"} 1\n", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Adopt_AttemptThrows_CallbackIsToldAndDrainEnds()
    {
        var results = new List<AttemptResult?>();
        _tracker.Adopt(_attempt.Task, "a", result =>
        {
            results.Add(result);
            return Task.CompletedTask;
        });

        _attempt.SetException(new InvalidOperationException());
        await _tracker.DrainAsync(Token);

        Assert.Null(Assert.Single(results));
        Assert.Contains("sendproxy_attempts_settling 0\n", await PageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drain_WhileTheCallbackRuns_Waits()
    {
        var callback = new TaskCompletionSource();
        _tracker.Adopt(_attempt.Task, "a", _ => callback.Task);
        _attempt.SetResult(Answer());

        var drain = _tracker.DrainAsync(Token);
        Assert.False(drain.IsCompleted);

        callback.SetResult();
        await drain;
        Assert.False(_content.CanRead);
    }

    [Fact]
    public async Task Drain_TokenIsCancelled_EndsWithoutAnError()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        _tracker.Track(_attempt.Task);
        var drain = _tracker.DrainAsync(cancellation.Token);
        Assert.False(drain.IsCompleted);

        await cancellation.CancelAsync();

        await drain.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    public void Dispose() => _content.Dispose();

    private AttemptResult Answer() => new() { Outcome = AttemptOutcome.Final, Response = new HttpResponseMessage { Content = new StreamContent(_content) } };

    private async Task<string> PageAsync()
    {
        using var page = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(page, Token);
        return System.Text.Encoding.UTF8.GetString(page.ToArray());
    }
}
