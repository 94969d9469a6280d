namespace SendProxy.Sending;

/// <summary>
/// Sends one message: permit, attempts, learning, record. The one code path for the egress port and the outbox. An expected
/// failure is a <see cref="SendOutcome"/> with a refusal, never an exception.
/// </summary>
internal interface ISender
{
    /// <param name="caller">
    /// Cancelled when nobody waits any more: ends waiting and further attempts. An attempt that was begun is finished in the
    /// background.
    /// </param>
    /// <exception cref="OperationCanceledException">Only when <paramref name="caller"/> is cancelled.</exception>
    public Task<SendOutcome> SendAsync(OutboundMessage message, CancellationToken caller);
}
