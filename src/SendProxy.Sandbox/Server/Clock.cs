namespace SendProxy.Sandbox.Server;

/// <summary>The time, and the end of it: every wait of a request ends when the sandbox stops.</summary>
internal sealed record Clock(TimeProvider Time, CancellationToken Stopping)
{
    public DateTimeOffset Now => Time.GetUtcNow();

    /// <summary>It is not the machine's own time.</summary>
    public bool IsSimulated { get; } = Time != TimeProvider.System;

    /// <exception cref="OperationCanceledException">The sandbox stops.</exception>
    public Task DelayAsync(TimeSpan length) => Task.Delay(length, Time, Stopping);
}
