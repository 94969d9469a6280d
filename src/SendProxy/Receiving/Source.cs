using System.Collections.Frozen;
using SendProxy.Secrets;

namespace SendProxy.Receiving;

/// <summary>A source in use: its settings, its keys, how many of its webhooks are worked on.</summary>
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
}

/// <summary>What the webhooks listener runs on; swapped whole at reload.</summary>
internal sealed record ReceivingState(FrozenDictionary<string, Source> Sources);
