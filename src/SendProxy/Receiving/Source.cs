using System.Collections.Frozen;
using SendProxy.Secrets;

namespace SendProxy.Receiving;

/// <summary>A source in use: its settings, its keys, and how many of its webhooks are being processed.</summary>
/// <param name="verifyToken">Null where the source has no challenge.</param>
internal sealed class Source(SourceOptions options, KeyRing keys, WatchedSecret? verifyToken)
{
    private int _running;

    public SourceOptions Options => options;

    public IReadOnlyList<SigningKey> Keys => keys.Keys;

    public WatchedSecret? VerifyToken => verifyToken;

    /// <returns>False where as many as <c>concurrency</c> run; else <see cref="Leave"/> is due.</returns>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _running) <= options.Concurrency)
        {
            return true;
        }

        Leave();
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _running);

    /// <summary>Counts signatures that none of its secrets made.</summary>
    public Occurrences Mismatches { get; } = new();
}

/// <summary>Counts what anybody can make happen, so that the log tells of it once a minute at most.</summary>
internal sealed class Occurrences
{
    private const int TellEverySeconds = 60;

    private readonly Lock _lock = new();
    private long? _told;
    private long _since;

    /// <returns>How many there were since the last time that this was above zero; zero: not to be told yet.</returns>
    public long Count(long now, long frequency)
    {
        lock (_lock)
        {
            _since++;
            if (_told is { } told && now - told < TellEverySeconds * frequency)
            {
                return 0;
            }

            var count = _since;
            (_told, _since) = (now, 0);
            return count;
        }
    }
}

/// <summary>What the webhooks listener runs on; swapped whole at reload.</summary>
internal sealed record ReceivingState(FrozenDictionary<string, Source> Sources);
