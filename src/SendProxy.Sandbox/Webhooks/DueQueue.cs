namespace SendProxy.Sandbox.Webhooks;

/// <summary>Hands items on when they are due, with one timer for all of them.</summary>
internal sealed class DueQueue<T> : IDisposable
{
    private readonly Lock _gate = new();
    private readonly PriorityQueue<T, (long DueTicks, long Order)> _waiting = new();
    private readonly TimeProvider _time;
    private readonly Action<T> _handOn;
    private readonly ITimer _timer;
    private long _armedFor = long.MaxValue;
    private long _order;

    public DueQueue(TimeProvider time, Action<T> handOn)
    {
        _time = time;
        _handOn = handOn;
        _timer = time.CreateTimer(static state => ((DueQueue<T>)state!).Fire(), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    public void Add(T item, TimeSpan after)
    {
        if (after <= TimeSpan.Zero)
        {
            _handOn(item);
            return;
        }

        lock (_gate)
        {
            var due = _time.GetUtcNow().UtcTicks + after.Ticks;
            _waiting.Enqueue(item, (due, _order++));
            Arm();
        }
    }

    /// <summary>Forgets what waits and returns how many.</summary>
    public int Clear()
    {
        lock (_gate)
        {
            var count = _waiting.Count;
            _waiting.Clear();
            return count;
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Fire()
    {
        lock (_gate)
        {
            _armedFor = long.MaxValue;
            var now = _time.GetUtcNow().UtcTicks;
            while (_waiting.TryPeek(out var item, out var due) && due.DueTicks <= now)
            {
                _waiting.Dequeue();
                _handOn(item);
            }

            Arm();
        }
    }

    private void Arm()
    {
        if (!_waiting.TryPeek(out _, out var next) || next.DueTicks >= _armedFor) { return; }
        _armedFor = next.DueTicks;
        // Timers count whole milliseconds: rounded up, or it would fire too early and spin.
        var wait = Math.Max(0, next.DueTicks - _time.GetUtcNow().UtcTicks);
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(wait / (double)TimeSpan.TicksPerMillisecond)),
            Timeout.InfiniteTimeSpan);
    }
}
