using System.IO.Pipelines;

namespace SendProxy.Overload;

/// <summary>
/// Ends transfers whose peer is too slow. Only the time counts in which this process waits for the peer, and only the current window: what a
/// peer sent before gives it no credit (Kestrel's own MinDataRate averages over the whole body, so that a fast begin pays for an hour of silence).
/// When memory is short, the one that has been silent for longest gives way.
/// </summary>
internal sealed class DataRateMonitor : IDisposable
{
    // How exactly silence is measured.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    // A peer that was silent for less time may have sent bytes that are still on their way.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    private readonly DataRateOptions _options;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();

    // By the time since which the peer is silent, the longest first.
    private readonly LinkedList<TransferWatch> _waiting = [];
    private bool _isLooking;
    private long _tooSlow;
    private long _gaveWay;

    public DataRateMonitor(DataRateOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _timer = time.CreateTimer(static monitor => ((DataRateMonitor)monitor!).LookAtAll(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Transfers that were ended since their peer was too slow.</summary>
    public long TooSlow => Interlocked.Read(ref _tooSlow);

    /// <summary>Transfers that were ended since memory was short and their peer was silent for longest.</summary>
    public long GaveWay => Interlocked.Read(ref _gaveWay);

    /// <summary>Transfers that wait for their peer now.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Watches a body that is read from here.</summary>
    public TransferWatch Watch(PipeReader reader) => new(this, isResponse: false, reader.CancelPendingRead);

    /// <summary>Watches an answer that its caller takes.</summary>
    /// <param name="abort">Closes the caller's connection.</param>
    public TransferWatch Watch(Action abort) => new(this, isResponse: true, abort);

    /// <summary>Ends the transfer whose peer has been silent for longest, if one has been for half a second.</summary>
    /// <returns>Whether there was one. Its memory is free a moment later.</returns>
    public bool EndLongest()
    {
        TransferWatch longest;
        lock (_lock)
        {
            if (_waiting.First is not { } first || _time.GetElapsedTime(first.Value.Since) < Grace)
            {
                return false;
            }

            longest = Take(first);
        }

        Interlocked.Increment(ref _gaveWay);
        longest.EndWait();
        return true;
    }

    public void Dispose() => _timer.Dispose();

    internal void Begin(TransferWatch watch)
    {
        lock (_lock)
        {
            watch.Since = _time.GetTimestamp();
            _waiting.AddLast(watch.Node);
            if (!_isLooking)
            {
                _isLooking = true;
                _timer.Change(Look, Look);
            }
        }
    }

    internal void End(TransferWatch watch)
    {
        lock (_lock)
        {
            if (watch.Node.List is not null)
            {
                _waiting.Remove(watch.Node);
                watch.Waited += _time.GetElapsedTime(watch.Since);
            }
        }
    }

    /// <summary>At the end of a window: enough of a body came in it, or its transfer ends.</summary>
    internal void Judge(TransferWatch watch)
    {
        if (watch.Waited < _options.Window)
        {
            return;
        }

        if (IsTooLittle(watch))
        {
            watch.IsEnded = true;
            Interlocked.Increment(ref _tooSlow);
        }

        (watch.Waited, watch.Bytes) = (TimeSpan.Zero, 0);
    }

    private bool IsTooLittle(TransferWatch watch) => watch.Bytes < _options.BytesPerSecond * _options.Window.TotalSeconds;

    private void LookAtAll()
    {
        List<TransferWatch>? slow = null;
        lock (_lock)
        {
            for (var node = _waiting.First; node is not null;)
            {
                var next = node.Next;
                if (IsTooSlow(node.Value, _time.GetElapsedTime(node.Value.Since)))
                {
                    (slow ??= []).Add(Take(node));
                }

                node = next;
            }

            if (_waiting.Count == 0)
            {
                _isLooking = false;
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        foreach (var watch in slow ?? [])
        {
            Interlocked.Increment(ref _tooSlow);
            watch.EndWait();
        }
    }

    private bool IsTooSlow(TransferWatch watch, TimeSpan silent) => watch.IsResponse
        ? silent >= _options.ResponseStall
        : silent >= _options.Window || (watch.Waited + silent >= _options.Window && IsTooLittle(watch));

    private TransferWatch Take(LinkedListNode<TransferWatch> node)
    {
        _waiting.Remove(node);
        node.Value.IsEnded = true;
        return node.Value;
    }
}
