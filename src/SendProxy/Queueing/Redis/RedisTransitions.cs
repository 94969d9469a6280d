using System.Collections.Concurrent;
using SendProxy.Queueing.Redis.Shards;
using SendProxy.Queueing.Sealed;
using SendProxy.Redis;
using SendProxy.Secrets.Sealing;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis;

/// <summary>Moves an item from state to state: each move is one operation, and knows its lease.</summary>
internal sealed class RedisTransitions(QueueCalls calls, RedisInserts inserts, RedisReads reads, ItemSeal seal)
{
    // What a response is sealed for: a lease does not tell its item's route. Those of other processes are looked up.
    private readonly ConcurrentDictionary<Lease, string> _routes = new();

    public void Took(Lease lease, string route) => _routes[lease] = route;

    /// <summary>Whether this process has the lease in its hands.</summary>
    public bool Knows(Lease lease) => _routes.ContainsKey(lease);

    public ValueTask<QueueResult> MarkAsync(Lease lease, AttemptMark mark) => MoveAsync(
        calls.Scripts.Mark, lease, [mark.KeyFingerprint ?? "", NewItemArguments.Time(mark.Deadline)], ends: false);

    public async ValueTask<QueueResult> FinishAsync(Lease lease, Finish finish, IReadOnlyList<SealedItem> next)
    {
        var (status, response, error) = await SealAsync(lease, finish.Response);
        if (error is { } failed)
        {
            return QueueResult.Failed(failed);
        }

        var bounds = inserts.OfFollowing;
        List<RedisValue> arguments =
            [(int)finish.State, finish.Reason ?? "", finish.AttemptsMade, status, response, bounds.Items, bounds.Bytes, next.Count];
        foreach (var item in next)
        {
            NewItemArguments.AddTo(arguments, item);
        }

        var shard = calls.Shards[ShardLease.ShardOf(lease) % calls.Shards.Count];
        shard.IsTouched = true;
        var reply = await RunAsync(calls.Scripts.Finish, lease, [.. arguments]);
        if (reply.Error is null)
        {
            inserts.Evicted(reply.List(1));
        }

        return Ended(lease, reply);
    }

    public async ValueTask<QueueResult> RetryAsync(Lease lease, Retry retry)
    {
        var (status, response, error) = await SealAsync(lease, retry.Response);
        return error is { } failed
            ? QueueResult.Failed(failed)
            : await MoveAsync(
                calls.Scripts.Retry, lease,
                [NewItemArguments.Time(retry.Due), retry.Reason, retry.AttemptsMade, status, response, retry.KeepAttempting ? "1" : "0", retry.LetOthersPass ? "1" : "0"]);
    }

    public ValueTask<QueueResult> GiveBackAsync(Lease lease) => MoveAsync(calls.Scripts.GiveBack, lease, []);

    /// <summary>Holds a leased item that does not open.</summary>
    public ValueTask<QueueResult> SetAsideAsync(Lease lease, SealKeyId key)
    {
        var isMissing = seal.Keys.Find(key) is null;
        return MoveAsync(
            calls.Scripts.SetAside, lease,
            [isMissing ? UnopenableReason.MissingKey : UnopenableReason.Damaged, isMissing ? key.ToString() : ""]);
    }

    public ValueTask<QueueResult> ReplayAsync(string queue, Guid id, Replay replay) =>
        ChangeAsync(calls.Scripts.Replay, queue, id, [replay.MaySendTwice ? "1" : "0"]);

    public ValueTask<QueueResult> DiscardAsync(string queue, Guid id) => ChangeAsync(calls.Scripts.Discard, queue, id, []);

    public async ValueTask<QueueResult> EditAsync(string queue, Guid id, Edit edit)
    {
        // For its route, which never changes and which the parts are sealed for.
        var found = await reads.GetAsync(queue, id);
        if (found.Value is not { } row)
        {
            return found.Error is { } error ? QueueResult.Failed(error) : QueueVerdict.NotFound;
        }

        var metadata = seal.Seal(edit.Metadata.Span, new SealContext(queue, id, row.Item.Route, SealPart.Metadata));
        var body = seal.Seal(edit.Body.Span, new SealContext(queue, id, row.Item.Route, SealPart.Body));
        return await ChangeAsync(
            calls.Scripts.Edit, queue, id,
            [NewItemArguments.Payload(metadata, body), NewItemArguments.SealKey(metadata), edit.IdempotencyKey ?? "", NewItemArguments.ItemBytes + metadata.Length + body.Length]);
    }

    private async ValueTask<QueueResult> MoveAsync(RedisScript script, Lease lease, RedisValue[] own, bool ends = true)
    {
        var reply = await RunAsync(script, lease, own);
        return ends ? Ended(lease, reply) : Of(reply);
    }

    private ValueTask<QueueReply> RunAsync(RedisScript script, Lease lease, RedisValue[] own) => calls.RunAsync(
        script, calls.Shards[ShardLease.ShardOf(lease) % calls.Shards.Count],
        [lease.Queue, NewItemArguments.Id(lease.Id), ShardLease.TokenOf(lease).ToString(System.Globalization.CultureInfo.InvariantCulture), Guid.NewGuid().ToByteArray(), .. own]);

    private QueueResult Ended(Lease lease, QueueReply reply)
    {
        var result = Of(reply);
        if (result.Verdict is QueueVerdict.Done or QueueVerdict.Stale)
        {
            _routes.TryRemove(lease, out _);
        }

        return result;
    }

    private static QueueResult Of(QueueReply reply) => reply.Error is { } error ? QueueResult.Failed(error)
        : reply.Text(0) switch
        {
            "done" => QueueVerdict.Done,
            "full" => new QueueResult(QueueVerdict.Full, RedisInserts.FullRetryAfter),
            _ => QueueVerdict.Stale,
        };

    /// <summary>Asks one shard after the other: only one has the item.</summary>
    private async ValueTask<QueueResult> ChangeAsync(RedisScript script, string queue, Guid id, RedisValue[] own)
    {
        foreach (var shard in reads.Likely(id))
        {
            var reply = await calls.RunAsync(script, shard, [queue, NewItemArguments.Id(id), .. own]);
            if (reply.Error is { } error)
            {
                return QueueResult.Failed(error);
            }

            switch (reply.Text(0))
            {
                case "done":
                    return QueueVerdict.Done;
                case "refused":
                    return QueueResult.Refused(((ItemState)(int)reply.Number(1)).Seen(reply.Text(2) == "1"));
            }
        }

        return QueueVerdict.NotFound;
    }

    private async ValueTask<(RedisValue Status, RedisValue Sealed, QueueError? Error)> SealAsync(Lease lease, ItemResponse? response)
    {
        if (response is null)
        {
            return ("", "", null);
        }

        if (!_routes.TryGetValue(lease, out var route))
        {
            var found = await reads.GetAsync(lease.Queue, lease.Id);
            if (found.Error is not null)
            {
                return ("", "", found.Error);
            }

            route = found.Value?.Item.Route ?? ""; // Not there: the move is stale.
        }

        return (response.Status, seal.Seal(response.Body.Span, new SealContext(lease.Queue, lease.Id, route, SealPart.Response)), null);
    }
}
