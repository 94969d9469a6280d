using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Priorities;

/// <summary>One request that waits for its permits. Times are of the limiter's clock.</summary>
internal sealed class Waiter(Lane lane, int cost, bool isRepeat, Microseconds since, Microseconds until)
{
    private readonly TaskCompletionSource<Permit> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Permit _given;

    public Lane Lane => lane;

    public int Cost => cost;

    /// <summary>A further attempt of a message, which goes after first ones.</summary>
    public bool IsRepeat => isRepeat;

    public Microseconds Since => since;

    public Microseconds Until => until;

    /// <summary>The first call to the store that can ask for it.</summary>
    public long FirstCall { get; set; }

    /// <summary>It only tries whether there is a permit: a refusal does not count as a refused request.</summary>
    public bool IsTry { get; init; }

    /// <summary>Permits it has already, of more than one.</summary>
    public int Collected { get; set; }

    public int Missing => cost - Collected;

    /// <summary>Where it stands in the line; null before.</summary>
    public LinkedListNode<Waiter>? Node { get; set; }

    public CancellationTokenRegistration Registration { get; set; }

    /// <summary>What it was told; null while it waits.</summary>
    public Permit? Given => _end.Task.IsCompletedSuccessfully ? _given : null;

    public Task<Permit> Task => _end.Task;

    public void End(Permit permit)
    {
        _given = permit;
        Registration.Unregister();
        _end.TrySetResult(permit);
    }

    public void Cancel(CancellationToken token) => _end.TrySetCanceled(token);
}
