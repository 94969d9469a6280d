using static SendProxy.Sending.RateLimiting.Rates.RateLimitConstants;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>
/// The vendor's own fixed windows as a limit's state keeps them: where one begins, and how many permits lie in it. Number for
/// number as acquire.lua, steps 3, 7 and 8. Times are microseconds of the store's clock. Not safe for threads.
/// </summary>
internal sealed class VendorWindowCounter
{
    private double _length;
    private double _edge;
    private double _width;
    private double _told;
    private double _from;
    private double _doubt;
    private double _distrust = DistrustFirst;
    private double _windowStart;
    private double _here;
    private double _next;
    private double _even;
    private double _close;
    private double _finish;
    private double _hereMost;
    private double _nextMost;
    private double _step;

    /// <summary>They are counted in now.</summary>
    public bool IsInForce { get; private set; }

    /// <summary>What a call says of them, and what is in force at its time.</summary>
    /// <param name="isKnown">No permits went out uncounted, and the clock did not jump.</param>
    public void Hear(double now, RateLimitCall call, bool isKnown)
    {
        var window = call.Parameters.WindowLength.Value;
        if (window <= 0 || window != _length || !isKnown)
        {
            (_edge, _length) = (0, window);
        }
        else if (call.Boundary == RateLimitCall.BoundaryElsewhere)
        {
            (_edge, _doubt) = (0, now + _distrust);
        }
        else if (call.Boundary > Clocks.Microseconds.Zero && now >= _doubt)
        {
            Believe(now, call.Boundary.Value, call.BoundaryWidth.Value);
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
        (_edge, _doubt) = (0, now + _distrust);
        if (IsInForce)
        {
            (_distrust, IsInForce) = (Math.Min(DistrustMost, _distrust * 2), false);
        }
    }

    /// <summary>Before the others below: what the window may hold, and how far apart permits are.</summary>
    public void Begin(LimitParameters parameters, double step)
    {
        _hereMost = parameters.WindowPermits * (_close - _windowStart) / Math.Max(1, _length);
        _nextMost = parameters.WindowPermits - (parameters.WindowPermits * _width / Math.Max(1, _length));
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
            if (_here < _hereMost)
            {
                return at;
            }

            at = _close;
        }

        if (at < _finish)
        {
            if (_even <= at + (EvenSteps * _step) || (_here < _hereMost && _next < _nextMost))
            {
                return at;
            }

            if (_even - (EvenSteps * _step) < _finish)
            {
                return _even - (EvenSteps * _step);
            }

            at = _finish;
        }

        return _next < _nextMost ? at : _close + _length;
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
            var free = Math.Max(0, Math.Min(permits, Math.Floor(((at + (EvenSteps * _step) - _even) / _step) + 0.001) + 1));
            _even += free * _step;
            (_here, _next) = (_here + permits - free, _next + permits - free);
        }
    }

    /// <summary>A slot that was given back counts again where an edge may lie between its time and its use.</summary>
    /// <returns>False where it no longer fits.</returns>
    public bool TryReuse(double at, double now)
    {
        if (!IsInForce || at >= now || (at >= _windowStart && now < _close))
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

        var free = Math.Min(level, _hereMost - _here);
        return now >= _close ? Math.Min(free, _nextMost - _next) : free;
    }

    private void Believe(double now, double edge, double width)
    {
        var off = edge - _edge;
        off -= Math.Floor((off / _length) + 0.5) * _length;
        if (_edge == 0)
        {
            _finish = edge + ((Math.Floor((now - edge) / _length) + 1) * _length);
            (_close, _windowStart, _here, _next, _even) = (_finish - width, _finish - _length, 0, 0, 0);
            _from = _close <= now ? _finish + _length : _finish;
        }
        else if (off > width || off < -_width)
        {
            (_edge, _doubt) = (0, now + _distrust);
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

            (_windowStart, _here) = _finish > last + (_length * 1.5) ? (_finish - _length, 0) : (last, _next);
            (_close, _next) = (_finish - _width, 0);
        }

        if (_windowStart - _told > WindowsUnseen * _length)
        {
            _edge = 0;
        }

        IsInForce = _edge > 0 && _windowStart > _from - (_length / 2);
    }
}
