using System.Threading.Tasks.Sources;

namespace SendProxy.Sending.Attempts;

/// <summary>
/// An attempt that runs to its end whether or not its caller waits for it. Its caller awaits it once, and that wait ends by
/// whichever comes first:
/// <code>
///                  | the attempt ends         -> Ended      the caller gets the result, or the defect
///     Running  --> |
///                  | the caller is cancelled  -> Detached   the caller gets OperationCanceledException,
///                                                           and Completion brings the result to whoever takes over
/// </code>
/// The object that the caller awaits is the attempt itself, since most attempts are awaited by a caller who stays, and a second
/// object for each request was measurable.
/// </summary>
internal abstract class DetachableAttempt : IValueTaskSource<AttemptResult>
{
    private ManualResetValueTaskSourceCore<AttemptResult> _wait;
    private CancellationTokenRegistration _callerLeaves;
    private volatile State _state;

    private enum State
    {
        Running,
        Ended,
        Detached,
    }

    /// <summary>The caller left, and the attempt goes on.</summary>
    public bool IsDetached => _state == State.Detached;

    /// <summary>The attempt itself, whoever waits. Null before it runs.</summary>
    public Task<AttemptResult>? Completion { get; private set; }

    /// <summary>Runs the attempt. Call it once, and await what it returns once.</summary>
    /// <param name="caller">Cancelled: the wait ends, and the attempt goes on unless nothing of it has left the process yet.</param>
    /// <exception cref="OperationCanceledException">Only when <paramref name="caller"/> is cancelled.</exception>
    public ValueTask<AttemptResult> RunAsync(CancellationToken caller)
    {
        Completion = ExecuteAsync();
        _callerLeaves = caller.UnsafeRegister(static (attempt, token) => ((DetachableAttempt)attempt!).Detach(token), this);
        return new ValueTask<AttemptResult>(this, _wait.Version);
    }

    AttemptResult IValueTaskSource<AttemptResult>.GetResult(short token)
    {
        _callerLeaves.Unregister();
        return _wait.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<AttemptResult>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<AttemptResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    /// <summary>Makes the attempt. Its end calls <see cref="TryEnd"/>, and where that is true <see cref="SetResult"/> or <see cref="SetException"/>.</summary>
    protected abstract Task<AttemptResult> ExecuteAsync();

    /// <summary>The caller has left, and the attempt still runs.</summary>
    protected abstract void OnDetached();

    /// <returns>False where the caller left before: then nobody waits.</returns>
    protected bool TryEnd() => Interlocked.CompareExchange(ref _state, State.Ended, State.Running) == State.Running;

    /// <summary>Continues the caller, inside of this call: what it builds on must have been recorded and released before.</summary>
    protected void SetResult(AttemptResult result) => _wait.SetResult(result);

    /// <summary>Continues the caller with a defect, likewise. Null: there was none.</summary>
    protected void SetException(Exception? defect)
    {
        if (defect is not null)
        {
            _wait.SetException(defect);
        }
    }

    private void Detach(CancellationToken caller)
    {
        if (Interlocked.CompareExchange(ref _state, State.Detached, State.Running) == State.Running)
        {
            OnDetached();
            _wait.SetException(new OperationCanceledException(caller));
        }
    }
}
