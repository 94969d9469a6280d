using SendProxy.Outbox.Messages;
using SendProxy.Upstreams;

namespace SendProxy.Outbox.Worker;

/// <summary>
/// How fast messages of the outbox may begin at one upstream. Open: as many at once as the setting says. After some failures in a row it
/// rests, and one message tries when the rest is over; the rest grows. When one gets through, the others follow at one a second, twice as
/// many every tenth of <c>rampUp</c>, until that time is over: a vendor that comes back is not met by all that gathered meanwhile.
/// </summary>
/// <remarks>Open -> Resting -> Probing -> Ramping -> Open; a failure while probing or ramping rests again. One loop uses it; results come from many tasks.</remarks>
internal sealed class UpstreamRamp(string upstream, Func<OutboxOptions> options, TimeProvider time, Func<double> draw)
{
    public string Upstream => upstream;

    /// <summary>Failures in a row, without a success between them, that say more of the vendor than of the messages.</summary>
    public const int FailuresToRest = 3;

    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private const int Doublings = 10;

    private readonly Lock _lock = new();
    private State _state = State.Open;
    private DateTimeOffset _until;
    private DateTimeOffset _rampSince;
    private DateTimeOffset _nextStart;
    private TimeSpan _rest;
    private TimeSpan _pause;
    private int _failures;
    private bool _probes;

    private enum State
    {
        Open,
        Resting,
        Ramping,
    }

    /// <summary>Messages wait because the vendor fails.</summary>
    public bool Rests
    {
        get
        {
            lock (_lock)
            {
                return _state == State.Resting;
            }
        }
    }

    /// <summary>How many may begin now, of <paramref name="free"/> places; where none, how long until one may.</summary>
    public (int Count, TimeSpan Wait) MayBegin(int free)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (_state == State.Ramping && now - _rampSince >= options().RampUp)
            {
                (_state, _until) = (State.Open, default);
            }

            if (_until > now)
            {
                return (0, _until - now);
            }

            return _state switch
            {
                State.Resting when _probes => (0, ShortestRest),
                State.Resting => (1, default),
                State.Ramping when _nextStart > now => (0, _nextStart - now),
                State.Ramping => (1, default),
                _ => (free, default),
            };
        }
    }

    /// <summary>So many begin.</summary>
    public void Began(int count)
    {
        lock (_lock)
        {
            if (count == 0)
            {
                return;
            }

            _probes = _state == State.Resting;
            if (_state == State.Ramping)
            {
                var now = time.GetUtcNow();
                var perSecond = Math.Pow(2, Doublings * ((now - _rampSince) / options().RampUp));
                _nextStart = now + TimeSpan.FromSeconds(1 / perSecond);
            }
        }
    }

    /// <summary>A try has ended.</summary>
    /// <param name="retryAfter">What the vendor asked for; null where it did not.</param>
    public void Ended(UpstreamHealth health, TimeSpan? retryAfter)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var probed = _probes;
            switch (health)
            {
                case UpstreamHealth.Works:
                    (_failures, _rest, _pause, _probes) = (0, default, default, false);
                    if (_state == State.Resting)
                    {
                        _until = default;
                        _state = options().RampUp > TimeSpan.Zero ? State.Ramping : State.Open;
                        (_rampSince, _nextStart) = (now, now);
                    }

                    break;
                case UpstreamHealth.Fails:
                    _probes = false;
                    if (++_failures >= FailuresToRest || probed || _state == State.Ramping)
                    {
                        _rest = Backoff.Next(_rest, ShortestRest, LongestRest, retryAfter < LongestRest ? retryAfter : null, draw());
                        (_state, _until) = (State.Resting, now + _rest);
                    }

                    break;
                default:
                    // Nothing was tried: the next ones would fare the same for a moment.
                    _probes = false;
                    _pause = _pause == default ? FirstPause : _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
                    _until = _until > now + _pause ? _until : now + _pause;
                    break;
            }
        }
    }
}
