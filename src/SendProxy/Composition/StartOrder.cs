using SendProxy.Queueing;

namespace SendProxy.Composition;

/// <summary>
/// What must be there before any worker starts and before anything listens: what cannot be stored must not be accepted. The host calls
/// <see cref="StartingAsync"/> before it starts a single hosted service, the web server among them.
/// </summary>
internal sealed class StartOrder(JournalHost journal, IdempotencyStoreHost idempotency) : IHostedLifecycleService
{
    /// <exception cref="Sqlite.JournalUnavailableException">With path, reason and remedy.</exception>
    /// <exception cref="Secrets.Sealing.SealKeyUnavailableException">With path, reason and remedy.</exception>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await journal.OpenAsync(cancellationToken);
        await idempotency.OpenAsync(cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
