using SendProxy.Errors;
using SendProxy.Sending.Attempts;

namespace SendProxy.Tests.Sending;

// The wait for an attempt ends once: by the attempt's end, or by the caller that leaves.
public sealed class DetachableAttemptTests : IDisposable
{
    private static readonly AttemptResult Result = AttemptResult.Failed(AttemptOutcome.Broke, ProxyError.UpstreamBroken);

    private readonly CancellationTokenSource _caller = new();
    private readonly Attempt _attempt = new();

    [Fact]
    public async Task Run_AttemptEnds_CallerGetsTheResult()
    {
        var wait = _attempt.RunAsync(_caller.Token);
        Assert.False(wait.IsCompleted);

        _attempt.End.SetResult(Result);

        Assert.Same(Result, await wait);
        Assert.False(_attempt.IsDetached);
    }

    [Fact]
    public async Task Run_CallerLeaves_WaitIsCancelledAndTheAttemptGoesOn()
    {
        var wait = _attempt.RunAsync(_caller.Token);

        await _caller.CancelAsync();
        var left = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await wait);
        Assert.False(_attempt.Completion!.IsCompleted);
        _attempt.End.SetResult(Result);

        Assert.Equal((_caller.Token, true, 1), (left.CancellationToken, _attempt.IsDetached, _attempt.Detachings));
        Assert.Same(Result, await _attempt.Completion);
    }

    [Fact]
    public async Task Run_CallerLeavesAfterTheEnd_ChangesNothing()
    {
        var wait = _attempt.RunAsync(_caller.Token);

        _attempt.End.SetResult(Result);
        await _caller.CancelAsync();

        Assert.Same(Result, await wait);
        Assert.Equal((false, 0), (_attempt.IsDetached, _attempt.Detachings));
    }

    [Fact]
    public async Task Run_Defect_CallerGetsIt()
    {
        var wait = _attempt.RunAsync(_caller.Token);

        _attempt.End.SetException(new InvalidOperationException("defect"));

        Assert.Equal("defect", (await Assert.ThrowsAsync<InvalidOperationException>(async () => await wait)).Message);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _attempt.Completion!);
    }

    [Fact]
    public async Task Run_DefectAfterTheCallerLeft_IsInTheCompletion()
    {
        var wait = _attempt.RunAsync(_caller.Token);
        await _caller.CancelAsync();

        _attempt.End.SetException(new InvalidOperationException("defect"));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await wait);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _attempt.Completion!);
    }

    public void Dispose() => _caller.Dispose();

    private sealed class Attempt : DetachableAttempt
    {
        public TaskCompletionSource<AttemptResult> End { get; } = new();

        public int Detachings { get; private set; }

        protected override async Task<AttemptResult> ExecuteAsync()
        {
            var isWaited = false;
            AttemptResult result;
            try
            {
                result = await End.Task;
                isWaited = TryEnd();
            }
            catch (Exception e) when (TryEnd())
            {
                SetException(e);
                throw;
            }

            if (isWaited)
            {
                SetResult(result);
            }

            return result;
        }

        protected override void OnDetached() => Detachings++;
    }
}
