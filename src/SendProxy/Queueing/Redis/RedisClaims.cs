using System.Collections.Concurrent;
using System.Globalization;
using SendProxy.Queueing.Redis.Shards;
using SendProxy.Queueing.Sealed;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis;

/// <summary>What a claim found, still sealed, with its lease.</summary>
internal sealed record ClaimedRows(List<(SealedRow Row, Lease Lease)> Rows, DateTimeOffset? NextDue, long Version, QueueError? Error = null);

/// <summary>
/// Leases what is due. Claims go round the shards, beginning with another one each time. A claim that found nothing is not repeated
/// before something happened or became due: waiting costs Redis nothing. A claim whose answer was lost is taken back.
/// </summary>
internal sealed class RedisClaims(QueueCalls calls, QueueSignals signals, RedisQueueMetrics metrics, TimeProvider time, ILogger logger)
{
    private const int MostKnown = 512;

    // Should every wake be lost, as when an answer is lost and the operation runs late: then it is asked all the same.
    private static readonly TimeSpan KnownFor = TimeSpan.FromSeconds(30);

    // What found nothing, by request: what had happened by then, and what it waits for.
    private readonly ConcurrentDictionary<string, (long Version, DateTimeOffset? NextDue, DateTimeOffset Until)> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(QueueShard Shard, string Mark)> _lost = new();
    private int _turn;

    public async ValueTask<ClaimedRows> ClaimAsync(ClaimRequest request, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var version = signals.Version(request.Queue);
        var name = NameOf(request);
        if (_known.TryGetValue(name, out var known) && known.Version == version && !(known.NextDue <= time.GetUtcNow()) && time.GetUtcNow() < known.Until && !calls.IsClosed)
        {
            return new ClaimedRows([], known.NextDue, version);
        }

        var rows = new List<(SealedRow Row, Lease Lease)>();
        DateTimeOffset? next = null;
        var bytes = 0L;
        var first = Interlocked.Increment(ref _turn);
        for (var i = 0; i < calls.Shards.Count; i++)
        {
            if (rows.Count >= request.Max || (rows.Count > 0 && bytes >= request.MaxBytes))
            {
                next = time.GetUtcNow();
                break;
            }

            var shard = calls.Shards[(int)((uint)(first + i) % (uint)calls.Shards.Count)];
            var (reply, due) = await ClaimAsync(shard, request with { Max = request.Max - rows.Count, MaxBytes = request.MaxBytes - bytes }, rows);
            if (reply.Error is { } error)
            {
                // The error may heal without a signal: look again in a second.
                next = time.GetUtcNow().AddSeconds(1);
                if (rows.Count == 0 && i == calls.Shards.Count - 1)
                {
                    return new ClaimedRows(rows, next, version, error);
                }

                continue;
            }

            bytes = rows.Sum(row => (long)row.Row.Metadata.Length + (row.Row.Body?.Length ?? 0));
            next = due < next || next is null ? due : next;
        }

        Remember(name, rows.Count == 0, version, next);
        return new ClaimedRows(rows, next, version);
    }

    /// <summary>Gives back what lost claims took. To be called when Redis is there again.</summary>
    public async Task TakeBackAsync()
    {
        for (var waiting = _lost.Count; waiting > 0 && _lost.TryDequeue(out var lost); waiting--)
        {
            var reply = await calls.RunOnceAsync(calls.Scripts.Unclaim, lost.Shard, lost.Mark);
            if (reply.Error is not (null or QueueError.StoreClosed))
            {
                _lost.Enqueue(lost);
                return;
            }
        }
    }

    private async ValueTask<(QueueReply Reply, DateTimeOffset? NextDue)> ClaimAsync(QueueShard shard, ClaimRequest request, List<(SealedRow, Lease)> rows)
    {
        var mark = Guid.NewGuid().ToString("n");
        var reply = await calls.RunOnceAsync(calls.Scripts.Claim, shard, Arguments(request, mark));
        if (reply.Error is not null)
        {
            if (reply.MayHaveRun)
            {
                _lost.Enqueue((shard, mark));
                if (calls.Link.IsUp)
                {
                    await TakeBackAsync(); // It rose between the call and now.
                }
            }

            return (reply, null);
        }

        foreach (var item in reply.List(0))
        {
            var row = ItemReply.Read(request.Queue, (RedisResult[])item!, whole: true);
            rows.Add((row, new Lease(request.Queue, row.Item.Id, ShardLease.Pack(row.Token, shard.Number))));
        }

        if (reply.Number(2) is > 0 and var gone)
        {
            metrics.Lost(RedisLoss.Item, gone);
            RedisQueueLog.Gone(logger, request.Queue, gone);
        }

        return (reply, calls.Local(reply.Text(1)));
    }

    private void Remember(string name, bool isEmpty, long version, DateTimeOffset? next)
    {
        if (!isEmpty)
        {
            _known.TryRemove(name, out _);
            return;
        }

        if (_known.Count >= MostKnown)
        {
            _known.Clear();
        }

        _known[name] = (version, next, time.GetUtcNow() + KnownFor);
    }

    private static RedisValue[] Arguments(ClaimRequest request, string mark) =>
    [
        request.Queue, request.Max, request.MaxBytes, request.MaxPerGroup, request.Expired ? "1" : "0", request.Mark ? "1" : "0", mark,
        request.OnlyGroups?.Count ?? -1, request.ExcludedGroups?.Count ?? 0, request.ExcludedRoutes?.Count ?? 0,
        .. Names(request.OnlyGroups), .. Names(request.ExcludedGroups), .. Names(request.ExcludedRoutes),
    ];

    private static IEnumerable<RedisValue> Names(IReadOnlySet<string>? names) => (names ?? new HashSet<string>()).Select(name => (RedisValue)name);

    private static string NameOf(ClaimRequest request)
    {
        static string All(IReadOnlySet<string>? names) => names is null ? "-" : string.Join('\n', names.Order(StringComparer.Ordinal));
        return string.Create(CultureInfo.InvariantCulture,
            $"{request.Queue}\0{request.Expired}\0{All(request.OnlyGroups)}\0{All(request.ExcludedGroups)}\0{All(request.ExcludedRoutes)}");
    }
}
