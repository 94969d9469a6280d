using System.IO.Pipelines;

namespace SendProxy.Overload;

/// <summary>The peer was slower than <c>listen.minDataRate</c>, or it was the slowest when memory was short.</summary>
internal sealed class TransferTooSlowException() : IOException("The peer was slower than listen.minDataRate.");

/// <summary>
/// One transfer that a peer was waited for: a body that comes, or an answer that is taken. Made at the first wait, so that what is there
/// at once costs nothing.
/// </summary>
/// <param name="end">Ends the wait: cancels the read, or closes the connection.</param>
internal sealed class TransferWatch(DataRateMonitor monitor, bool isResponse, Action end)
{
    private LinkedListNode<TransferWatch>? _node;

    public bool IsResponse => isResponse;

    /// <summary>The monitor ended it.</summary>
    public bool IsEnded { get; internal set; }

    /// <summary>Monotonic time at which the wait of now began.</summary>
    internal long Since { get; set; }

    /// <summary>How long the peer was waited for in this window, without the wait of now.</summary>
    internal TimeSpan Waited { get; set; }

    /// <summary>What came in this window.</summary>
    internal long Bytes { get; set; }

    internal LinkedListNode<TransferWatch> Node => _node ??= new(this);

    /// <exception cref="TransferTooSlowException">The peer was too slow.</exception>
    public async ValueTask<ReadResult> ReadAsync(ValueTask<ReadResult> pending)
    {
        monitor.Begin(this);
        ReadResult read;
        try
        {
            read = await pending;
        }
        finally
        {
            monitor.End(this);
        }

        ThrowIfEnded();
        return read;
    }

    /// <exception cref="TransferTooSlowException">The peer took nothing for too long; its connection is closed.</exception>
    public async ValueTask WriteAsync(Task pending)
    {
        monitor.Begin(this);
        try
        {
            await pending;
        }
        finally
        {
            monitor.End(this);
        }

        ThrowIfEnded();
    }

    /// <summary>Tells what a read brought, whether or not it was waited for.</summary>
    /// <exception cref="TransferTooSlowException">The window is over, and too little came in it.</exception>
    public void Received(long bytes)
    {
        Bytes += bytes;
        monitor.Judge(this);
        ThrowIfEnded();
    }

    internal void EndWait() => end();

    private void ThrowIfEnded()
    {
        if (IsEnded)
        {
            throw new TransferTooSlowException();
        }
    }
}
