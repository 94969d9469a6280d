namespace SendProxy.Sending.Idempotency;

/// <summary>
/// Keys under which something may have been sent while the store was unavailable. This process remembers them by itself, and tells
/// the store once it is back. Their number is bounded: the oldest is forgotten first.
/// </summary>
internal sealed class UnrecordedSends(IdempotencyMetrics metrics)
{
    public const int MaxKeys = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<IdempotencyKeyScope, UnrecordedSend> _sends = [];
    private readonly Queue<IdempotencyKeyScope> _oldest = [];
    private bool _isTelling;

    /// <returns>When something under this key may first have been sent; null where nothing is known.</returns>
    public DateTimeOffset? StartedAt(IdempotencyKeyScope scope)
    {
        lock (_lock)
        {
            return _sends.TryGetValue(scope, out var send) ? send.StartedAt : null;
        }
    }

    /// <param name="claim">What the store is to be told; null where it is not told, as with a streamed body, whose fingerprint is not known.</param>
    public void Add(IdempotencyKeyScope scope, IdempotencyKeyClaim? claim, DateTimeOffset startedAt)
    {
        lock (_lock)
        {
            if (!_sends.TryAdd(scope, new UnrecordedSend(claim, startedAt)))
            {
                return;
            }

            _oldest.Enqueue(scope);
            while (_sends.Count > MaxKeys && _oldest.TryDequeue(out var oldest))
            {
                _sends.Remove(oldest);
            }

            metrics.UnrecordedSends(_sends.Count);
        }
    }

    /// <summary>Tells a store that answers again. Completes at once where there is nothing to tell, or another call is telling.</summary>
    public Task TellAsync(IIdempotencyStore store)
    {
        lock (_lock)
        {
            if (_isTelling || _sends.Count == 0)
            {
                return Task.CompletedTask;
            }

            _isTelling = true;
        }

        return TellAllAsync(store);
    }

    private async Task TellAllAsync(IIdempotencyStore store)
    {
        try
        {
            while (Next() is var (scope, send))
            {
                if (!await RecordAsync(store, scope, send))
                {
                    return;
                }

                Forget(scope);
            }
        }
        finally
        {
            lock (_lock)
            {
                _isTelling = false;
            }
        }
    }

    // The record is left open with the time of the first attempt, so that the next request with this key continues from it. If another
    // process has a record already, that one stays.
    private static async ValueTask<bool> RecordAsync(IIdempotencyStore store, IdempotencyKeyScope scope, UnrecordedSend send)
    {
        var found = await store.ClaimAsync(send.Claim!, CancellationToken.None);
        return found.Verdict switch
        {
            ClaimVerdict.Owned => await store.EndAsync(scope, found.Token, IdempotencyRecordEnd.Open, null, found.StartedAt ?? send.StartedAt, CancellationToken.None),
            ClaimVerdict.Unavailable => false,
            _ => true,
        };
    }

    private (IdempotencyKeyScope Scope, UnrecordedSend Send)? Next()
    {
        lock (_lock)
        {
            foreach (var (scope, send) in _sends)
            {
                if (send.Claim is not null)
                {
                    return (scope, send);
                }
            }

            return null;
        }
    }

    private void Forget(IdempotencyKeyScope scope)
    {
        lock (_lock)
        {
            _sends.Remove(scope);
            if (_sends.Count == 0)
            {
                _oldest.Clear();
            }

            metrics.UnrecordedSends(_sends.Count);
        }
    }

    private readonly record struct UnrecordedSend(IdempotencyKeyClaim? Claim, DateTimeOffset StartedAt);
}
