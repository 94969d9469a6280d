namespace SendProxy.Queueing;

/// <summary>Waits for work, but not so long that a reload or a healed store goes unseen.</summary>
internal static class QueueWait
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    public static async Task ForWorkAsync(IMessageQueue queue, string name, ClaimResult last, TimeProvider time, CancellationToken cancellation)
    {
        var latest = time.GetUtcNow() + Longest;
        await queue.WaitForWorkAsync(name, last.NextDue is { } due && due < latest ? last : last with { NextDue = latest }, cancellation);
    }
}
