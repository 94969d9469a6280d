namespace SendProxy.Load;

/// <summary>
/// One thread: sends each request when it is due and a connection is free, and measures from the moment it was due, so that a
/// stall counts against every request that it holds up (no coordinated omission).
/// </summary>
internal sealed class Generator : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FlushEvery = TimeSpan.FromMilliseconds(0.2);

    private readonly LoadOptions _options;
    private readonly TimeProvider _time;
    private readonly Epoll _epoll = new();
    private readonly Connection[] _connections;
    private readonly Stack<Connection> _free;
    private readonly Request _request;
    private readonly Histogram _latencies = new();
    private readonly Dictionary<int, long> _statuses = [];
    private readonly int[] _ready = new int[512];
    private long _start;
    private long _measured;
    private long _end;
    private long _sent;
    private long _all;
    private long _errors;

    public Generator(LoadOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _connections = [.. Enumerable.Range(0, options.Connections).Select(i => new Connection(options.Address, _epoll, i))];
        _free = new Stack<Connection>(_connections.Reverse());
        _request = new Request(options, time);
    }

    public LoadReport Run()
    {
        _start = Now();
        _measured = _start + Ticks(_options.Warmup);
        _end = _measured + Ticks(_options.Duration);
        while (Now() < _end)
        {
            SendDue();
            Receive(Until(Math.Min(_end, _free.Count > 0 ? Due(_sent) : _end)));
        }

        var behind = Behind();
        for (var patience = _end + Ticks(Patience); Now() < patience && _free.Count < _connections.Length;)
        {
            Receive(Longest);
        }

        var unanswered = _connections.Count(c => c.Busy);
        foreach (var connection in _connections.Where(c => c.Busy))
        {
            Note(connection.Due, Now());
        }

        return LoadReport.Of(_latencies, _options.Duration, _all, _statuses, _errors, unanswered, behind);
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }

        _epoll.Dispose();
    }

    private void SendDue()
    {
        while (_free.Count > 0 && Now() is var now && Due(_sent) <= now && now < _end)
        {
            var connection = _free.Pop();
            if (!connection.Send(_request.Next(), _options.Rate > 0 ? Due(_sent) : now))
            {
                _errors++;
                _free.Push(connection);
            }

            _sent++;
        }
    }

    private void Receive(TimeSpan most)
    {
        var flushing = Array.Exists(_connections, c => c.Unsent);
        var count = _epoll.Wait(_ready, flushing && most > FlushEvery ? FlushEvery : most);
        if (flushing)
        {
            Array.ForEach(_connections, c => c.Flush());
        }

        foreach (var index in _ready.AsSpan(0, count))
        {
            Finish(_connections[index]);
        }
    }

    private void Finish(Connection connection)
    {
        if (!connection.Busy)
        {
            connection.Read();
            return;
        }

        var status = connection.Read();
        if (status == 0)
        {
            return;
        }

        _all++;
        _free.Push(connection);
        var now = Now();
        if (status < 0)
        {
            _errors++;
        }
        else if (now >= _measured)
        {
            // Answers count by when they came, in open loop by when they were due: the warm-up's stall is not measured.
            _statuses[status] = _statuses.GetValueOrDefault(status) + (now <= _end ? 1 : 0);
            Note(connection.Due, now);
        }
    }

    // Requests that were due and found no free connection to the end waited at least so long.
    private long Behind()
    {
        var behind = 0L;
        for (; _options.Rate > 0 && Due(_sent) < _end; _sent++)
        {
            Note(Due(_sent), _end);
            behind++;
        }

        return behind;
    }

    private void Note(long due, long now)
    {
        if (due >= _measured)
        {
            _latencies.Add((long)_time.GetElapsedTime(due, now).TotalMicroseconds);
        }
    }

    private long Due(long index) => _options.Rate > 0 ? _start + (long)(index * _time.TimestampFrequency / _options.Rate) : _start;

    private TimeSpan Until(long timestamp) =>
        _time.GetElapsedTime(Now(), timestamp) is var left && left > Longest ? Longest : left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private long Now() => _time.GetTimestamp();

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);
}
