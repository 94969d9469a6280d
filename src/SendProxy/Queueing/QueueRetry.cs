namespace SendProxy.Queueing;

/// <summary>Moves of leased items by workers: a store that fails now and heals must not leave an item in nobody's hands.</summary>
internal static class QueueRetry
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    /// <summary>Tries until the store has answered: done, stale, full or another answer that is not a failure.</summary>
    /// <returns>The store's answer; its failure once it is closed or the process stops: the next start recovers the lease.</returns>
    public static async Task<QueueResult> UntilAnsweredAsync(Func<ValueTask<QueueResult>> move, TimeProvider time, CancellationToken stop)
    {
        while (true)
        {
            var moved = await move();
            // What too few replicas have is stored all the same: to wait for replicas would hold the item for as long as they are away.
            if (moved.Verdict != QueueVerdict.Failed || moved.Error is QueueError.StoreClosed or QueueError.NotDurable || stop.IsCancellationRequested)
            {
                return moved;
            }

            await Task.Delay(Again, time, CancellationToken.None);
        }
    }
}
