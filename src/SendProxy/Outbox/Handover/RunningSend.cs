using SendProxy.Sending;
using SendProxy.Sending.Attempts;

namespace SendProxy.Outbox.Handover;

/// <summary>A send that may outlive its caller. Holds the body until it is over.</summary>
internal sealed class RunningSend : IDisposable
{
    private readonly CancellationTokenSource _leaving = new();
    private readonly CancellationTokenRegistration _caller;
    private readonly ReplayBody _body;

    public RunningSend(ISender sender, OutboundMessage message, CancellationToken caller)
    {
        _body = message.Body.Hold();
        _caller = caller.UnsafeRegister(static leaving => ((CancellationTokenSource)leaving!).Cancel(), _leaving);
        Sending = sender.SendAsync(message, _leaving.Token);
    }

    public Task<SendOutcome> Sending { get; }

    /// <returns>True where it has not ended when <paramref name="wait"/> is over.</returns>
    public async Task<bool> IsLateAsync(TimeSpan wait, TimeProvider time, CancellationToken caller)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(caller);
        await Task.WhenAny(Sending, Task.Delay(wait, time, ended.Token));
        await ended.CancelAsync();
        return !Sending.IsCompleted;
    }

    /// <summary>The caller has its answer, and may leave.</summary>
    public void LetCallerGo() => _caller.Dispose();

    /// <summary>Ends it. Nothing of it was begun.</summary>
    public async Task EndAsync()
    {
        await _leaving.CancelAsync();
        try
        {
            (await Sending).Response?.Dispose();
        }
        catch (OperationCanceledException)
        {
            // As it was asked to.
        }
    }

    public void Dispose()
    {
        _caller.Dispose();
        _leaving.Dispose();
        _body.Dispose();
    }
}
