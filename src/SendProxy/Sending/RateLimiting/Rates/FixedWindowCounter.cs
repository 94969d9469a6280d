namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>
/// The vendor's own fixed windows as a limit's state keeps them: where one begins, and how many permits lie in it. Number for
/// number as acquire.lua, steps 3, 7 and 8. Times are microseconds of the store's clock. Not safe for threads.
/// </summary>
internal sealed class FixedWindowCounter
{
    private const double WaryFirst = 60_000_000;
    private const double WaryMost = 3_600_000_000;

    private double _length;
    private double _edge;
    private double _width;
    private double _told;
    private double _from;
    private double _doubt;
    private double _wary = WaryFirst;
    private double _begun;
    private double _here;
    private double _next;
    private double _even;
    private double _close;
    private double _finish;
    private double _most;
    private double _coming;
    private double _step;

    /// <summary>They are counted in now.</summary>
    public bool IsInForce { get; private set; }

    /// <summary>What a call says of them, and what is in force at its time.</summary>
    /// <param name="isKnown">No permits went out uncounted, and the clock did not jump.</param>
    public void Hear(double now, RateLimitCall call, bool isKnown)
    {
        var window = call.Shape.WindowLength;
        if (window <= 0 || window != _length || !isKnown)
        {
            (_edge, _length) = (0, window);
        }
        else if (call.Edge < 0)
        {
            (_edge, _doubt) = (0, now + _wary);
        }
        else if (call.Edge > 0 && now >= _doubt)
        {
            Believe(now, call.Edge, call.EdgeWidth);
        }

        IsInForce = false;
        if (_edge > 0)
        {
            Turn(now);
        }
    }

    /// <summary>A 429: what was believed of them is forgotten, the longer the more often it was so.</summary>
    public void Refuse(double now)
    {
        (_edge, _doubt) = (0, now + _wary);
        if (IsInForce)
        {
            (_wary, IsInForce) = (Math.Min(WaryMost, _wary * 2), false);
        }
    }

    /// <summary>Before the others below: what the window may hold, and how far apart permits are.</summary>
    public void Begin(LimitParameters shape, double step)
    {
        _most = shape.WindowPermits * (_close - _begun) / Math.Max(1, _length);
        _coming = shape.WindowPermits - (shape.WindowPermits * _width / Math.Max(1, _length));
        _step = step;
    }

    /// <returns>The first time from then on at which a permit fits.</returns>
    public double Fit(double at)
    {
        if (!IsInForce)
        {
            return at;
        }

        if (at < _close)
        {
            if (_here < _most)
            {
                return at;
            }

            at = _close;
        }

        if (at < _finish)
        {
            if (_even <= at + (2 * _step) || (_here < _most && _next < _coming))
            {
                return at;
            }

            if (_even - (2 * _step) < _finish)
            {
                return _even - (2 * _step);
            }

            at = _finish;
        }

        return _next < _coming ? at : _close + _length;
    }

    /// <summary>Counts permits of that time. About an edge those that go out evenly count for neither window, all others for both.</summary>
    public void Take(double at, double permits)
    {
        if (_edge == 0)
        {
            return;
        }

        if (at < _close)
        {
            _here += permits;
        }
        else if (at >= _finish)
        {
            _next += permits;
        }
        else
        {
            _even = Math.Max(_even, at);
            var free = Math.Max(0, Math.Min(permits, Math.Floor(((at + (2 * _step) - _even) / _step) + 0.001) + 1));
            _even += free * _step;
            (_here, _next) = (_here + permits - free, _next + permits - free);
        }
    }

    /// <summary>A slot that was given back counts again where an edge may lie between its time and its use.</summary>
    /// <returns>False where it no longer fits.</returns>
    public bool TryReuse(double at, double now)
    {
        if (!IsInForce || at >= now || (at >= _begun && now < _close))
        {
            return true;
        }

        if (Fit(now) > now)
        {
            return false;
        }

        Take(now, 1);
        return true;
    }

    /// <summary>How many of the level fit at once.</summary>
    public double Free(double now, double level)
    {
        if (!IsInForce)
        {
            return level;
        }

        var free = Math.Min(level, _most - _here);
        return now >= _close ? Math.Min(free, _coming - _next) : free;
    }

    private void Believe(double now, double edge, double width)
    {
        var off = edge - _edge;
        off -= Math.Floor((off / _length) + 0.5) * _length;
        if (_edge == 0)
        {
            _finish = edge + ((Math.Floor((now - edge) / _length) + 1) * _length);
            (_close, _begun, _here, _next, _even) = (_finish - width, _finish - _length, 0, 0, 0);
            _from = _close <= now ? _finish + _length : _finish;
        }
        else if (off > width || off < -_width)
        {
            (_edge, _doubt) = (0, now + _wary);
            return;
        }

        (_edge, _width, _told) = (edge, width, now);
    }

    private void Turn(double now)
    {
        if (now >= _finish)
        {
            var last = _finish;
            _finish = _edge + ((Math.Floor((now - _edge) / _length) + 1) * _length);
            if (_finish < last + (_length / 2))
            {
                _finish += _length;
            }

            (_begun, _here) = _finish > last + (_length * 1.5) ? (_finish - _length, 0) : (last, _next);
            (_close, _next) = (_finish - _width, 0);
        }

        if (_begun - _told > 5 * _length)
        {
            _edge = 0;
        }

        IsInForce = _edge > 0 && _begun > _from - (_length / 2);
    }
}
