using SendProxy.Sandbox.Answers;

namespace SendProxy.Sandbox.Idempotency;

/// <summary>Where a key is unique.</summary>
internal readonly record struct IdempotencyKeyScope(string Owner, string Method, string Path, string Key);

/// <summary>What the store says to a request with a key.</summary>
internal enum ClaimResult
{
    /// <summary>The first one: it runs and must be completed.</summary>
    New,

    /// <summary>The first one has finished: its answer is repeated.</summary>
    Replay,

    /// <summary>The first one still runs.</summary>
    InUse,

    /// <summary>The first one had another body.</summary>
    Reused,
}

/// <summary>Answers by idempotency key, for a while and up to a number.</summary>
internal sealed class IdempotencyStore(IdempotencyOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<IdempotencyKeyScope, Record> _records = [];
    private readonly Queue<(IdempotencyKeyScope Scope, Record Record)> _byAge = new();

    public IdempotencyMode Mode => options.Mode;

    public IdempotencyScope Scope => options.Scope;

    /// <summary>Records that gave way to newer ones before their time.</summary>
    public long Dropped { get; private set; }

    public int Count
    {
        get { lock (_gate) { return _records.Count; } }
    }

    /// <param name="scope">The key and where it is unique.</param>
    /// <param name="bodyHash">SHA-256 of the body.</param>
    /// <param name="replay">The stored answer for <see cref="ClaimResult.Replay"/>, else null.</param>
    public ClaimResult Claim(in IdempotencyKeyScope scope, byte[] bodyHash, out Answer? replay)
    {
        replay = null;
        lock (_gate)
        {
            Expire();
            if (!_records.TryGetValue(scope, out var record))
            {
                record = new Record(bodyHash, time.GetUtcNow());
                _records.Add(scope, record);
                _byAge.Enqueue((scope, record));
                return ClaimResult.New;
            }

            if (options.Mode != IdempotencyMode.NoCompare && !record.BodyHash.AsSpan().SequenceEqual(bodyHash))
            {
                return ClaimResult.Reused;
            }

            if (record.Answer is null) { return ClaimResult.InUse; }
            replay = record.Answer with { IsReplay = true };
            return ClaimResult.Replay;
        }
    }

    /// <summary>Ends what <see cref="Claim"/> began.</summary>
    /// <param name="scope">As claimed.</param>
    /// <param name="done">What the vendor did.</param>
    /// <param name="answered">What the client was told, which a fault may have changed.</param>
    public void Complete(in IdempotencyKeyScope scope, Answer done, Answer answered)
    {
        var stored = options.Mode switch
        {
            IdempotencyMode.SuccessOnly => answered.Status is >= 200 and < 300 ? answered : null,
            IdempotencyMode.StoreErrors => answered.Status is 401 or 409 or 429 or 503 ? null : answered,
            _ => done.IsFinal ? done : null,
        };
        lock (_gate)
        {
            if (stored is null) { _records.Remove(scope); }
            else if (_records.TryGetValue(scope, out var record)) { record.Answer = stored; }
        }
    }

    /// <summary>Ends what <see cref="Claim"/> began without an answer: the key is free again.</summary>
    public void Release(in IdempotencyKeyScope scope)
    {
        lock (_gate) { _records.Remove(scope); }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _records.Clear();
            _byAge.Clear();
        }
    }

    private void Expire()
    {
        var dead = time.GetUtcNow() - options.Lifetime;
        while (_byAge.TryPeek(out var oldest) && (oldest.Record.At <= dead || _byAge.Count >= options.MaxRecords))
        {
            _byAge.Dequeue();
            // A released key may have been claimed anew; then the younger record stays.
            if (_records.TryGetValue(oldest.Scope, out var record) && ReferenceEquals(record, oldest.Record))
            {
                _records.Remove(oldest.Scope);
                if (oldest.Record.At > dead) { Dropped++; }
            }
        }
    }

    private sealed class Record(byte[] bodyHash, DateTimeOffset at)
    {
        public byte[] BodyHash => bodyHash;

        public DateTimeOffset At => at;

        public Answer? Answer { get; set; }
    }
}
