using System.Threading.Channels;

namespace SendProxy.Compare;

/// <summary>
/// What the disk allows: writers hand over records of 1 KB, one loop writes all that wait and calls fsync once for them. No receiver
/// that stores durably can be faster on this file system with so many waiting.
/// </summary>
internal static class FsyncFloor
{
    private const int RecordBytes = 1024;

    /// <returns>Records a second, and calls of fsync a second.</returns>
    public static async Task<(double Records, double Syncs)> MeasureAsync(string folder, int writers, TimeSpan length)
    {
        var waiting = Channel.CreateUnbounded<TaskCompletionSource>(new() { SingleReader = true });
        var start = TimeProvider.System.GetTimestamp();
        bool Over() => TimeProvider.System.GetElapsedTime(start) > length;
        var commits = Task.Run(() => CommitAsync(Path.Combine(folder, "floor.bin"), waiting.Reader));
        var written = await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(async () =>
        {
            var count = 0;
            for (; !Over(); count++)
            {
                var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting.Writer.TryWrite(done);
                await done.Task;
            }

            return count;
        })));
        waiting.Writer.Complete();
        return (written.Sum() / length.TotalSeconds, await commits / length.TotalSeconds);
    }

    private static async Task<int> CommitAsync(string file, ChannelReader<TaskCompletionSource> waiting)
    {
        using var handle = File.OpenHandle(file, FileMode.Create, FileAccess.Write, options: FileOptions.DeleteOnClose);
        var batch = new List<TaskCompletionSource>();
        var (at, syncs) = (0L, 0);
        while (await waiting.WaitToReadAsync())
        {
            batch.Clear();
            while (waiting.TryRead(out var next))
            {
                batch.Add(next);
            }

            RandomAccess.Write(handle, new byte[batch.Count * RecordBytes], at);
            RandomAccess.FlushToDisk(handle);
            at += batch.Count * RecordBytes;
            syncs++;
            batch.ForEach(b => b.SetResult());
        }

        return syncs;
    }
}
