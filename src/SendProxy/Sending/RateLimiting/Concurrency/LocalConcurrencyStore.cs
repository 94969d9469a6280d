namespace SendProxy.Sending.RateLimiting.Concurrency;

/// <summary>The store of a concurrency limit that only this process uses: it has all slots, less those that 429s took away. It lowers and raises their number as lease.lua does.</summary>
internal sealed class LocalConcurrencyStore(int limit, bool cuts, TimeProvider time) : ILimitStore<ConcurrencyCall, ConcurrencyReply>
{
    private static readonly TimeSpan Peace = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(500);
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private double _multiplier = 1;
    private TimeSpan _cut = TimeSpan.MinValue;
    private TimeSpan _grown;
    private TimeSpan _block;
    private long _number;
    private long _lifted;
    private bool _isProbing;

    public bool IsShared => false;

    public TimeSpan AnswersWithin => TimeSpan.Zero;

    public ConcurrencyReply AskNow(ConcurrencyCall call)
    {
        lock (_lock)
        {
            var now = time.GetElapsedTime(_start);
            EndBlock(call, now);
            if (call.Throttled is { } throttled)
            {
                _isProbing = call.IsCapped || (_isProbing && throttled == TimeSpan.Zero);
                if (cuts && (_cut == TimeSpan.MinValue || now - _cut > Together))
                {
                    _multiplier = Math.Max(1.0 / limit, _multiplier * 0.9);
                }

                _cut = now;
                _block = TimeSpan.FromTicks(Math.Max(_block.Ticks, (now + throttled).Ticks));
            }
            else if (_multiplier < 1 && now - _cut > Peace)
            {
                var since = now - TimeSpan.FromTicks(Math.Max(_grown.Ticks, (_cut + Peace).Ticks));
                _multiplier = Math.Min(1, _multiplier + (0.01 * Math.Max(0, since.TotalSeconds)));
            }

            _grown = now;
            var bound = _isProbing ? 1 : Math.Max(1, (int)Math.Floor((limit * _multiplier) + 1e-6));
            return new ConcurrencyReply(bound, bound, 1, 0, 0, bound, _block > now ? _block - now : TimeSpan.Zero, TimeSpan.Zero, ++_number, bound, _isProbing, _lifted);
        }
    }

    public ValueTask<ConcurrencyReply?> AskAsync(ConcurrencyCall call) => new(AskNow(call));

    private void EndBlock(ConcurrencyCall call, TimeSpan now)
    {
        if (call.Unblocks)
        {
            (_block, _isProbing, _lifted) = (TimeSpan.Zero, false, _lifted + 1);
        }

        _isProbing &= !(call.ProbeAnswered && _block <= now);
    }
}
