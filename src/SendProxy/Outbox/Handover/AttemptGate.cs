using SendProxy.Errors;

namespace SendProxy.Outbox.Handover;

/// <summary>
/// Decides once who has a message: the send that its caller waits for, from its first attempt on, or the outbox, which took it before
/// anything was begun.
/// </summary>
internal sealed class AttemptGate
{
    private const int Open = 0;
    private const int Begun = 1;
    private const int Withdrawn = 2;

    private int _state;

    /// <summary>Of the credential that the attempts go out with; null before the first.</summary>
    public string? CredentialFingerprint { get; private set; }

    /// <summary>The first attempt is about to begin.</summary>
    /// <returns>A refusal where the outbox has the message.</returns>
    public ValueTask<Refusal?> BeginAsync(string fingerprint)
    {
        CredentialFingerprint = fingerprint;
        var taken = Interlocked.CompareExchange(ref _state, Begun, Open) == Withdrawn;
        return ValueTask.FromResult(taken ? Refusal.NotSent(ProxyError.ShuttingDown, "The message was handed over to the outbox.") : null);
    }

    /// <returns>True where nothing was begun, and nothing will be.</returns>
    public bool TryWithdraw() => Interlocked.CompareExchange(ref _state, Withdrawn, Open) == Open;
}
