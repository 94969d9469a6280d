using System.Globalization;
using SendProxy.Queueing.Redis.Shards;
using SendProxy.Queueing.Sealed;
using SendProxy.Redis;
using SendProxy.Secrets.Sealing;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis;

/// <summary>Looks at items of all shards and changes none. Places are times in microseconds, so that those of several shards can be compared.</summary>
internal sealed class RedisReads(QueueCalls calls)
{
    // A page of held items walks those that wait; this many items and the page ends early, with a cursor to go on.
    private const int ScanItems = 1000;

    /// <summary>The shards, the one first that has an item with neither an order key nor a dedupe key.</summary>
    public IEnumerable<QueueShard> Likely(Guid id)
    {
        var first = NewItemArguments.ShardOf(id, calls.Shards.Count);
        return Enumerable.Range(0, calls.Shards.Count).Select(i => calls.Shards[(first + i) % calls.Shards.Count]);
    }

    public async ValueTask<QueueRead<SealedRow>> GetAsync(string queue, Guid id)
    {
        var replies = await AllAsync(calls.Scripts.Read, queue, NewItemArguments.Id(id));
        foreach (var (_, reply) in replies)
        {
            if (reply.Error is null && reply.Has(0))
            {
                return new QueueRead<SealedRow>(ItemReply.Read(queue, (RedisResult[])reply[0]!, whole: true));
            }
        }

        return new QueueRead<SealedRow>(null, ErrorOf(replies));
    }

    public async ValueTask<QueueRead<(List<SealedRow> Rows, string? Next)>> ListAsync(ListRequest request)
    {
        var (after, afterShard) = Parse(request.Cursor);
        var scan = request.State is null ? request.Max : Math.Max(request.Max, ScanItems);
        var replies = await Task.WhenAll(calls.Shards.Select(async shard => (shard, await calls.RunAsync(
            calls.Scripts.List, shard, request.Queue, request.State is { } state ? (int)state : "",
            Text(shard.Number <= afterShard ? after : after - 1), scan))));
        if (ErrorOf(replies) is { } error)
        {
            return new QueueRead<(List<SealedRow>, string?)>(default, error);
        }

        // Beyond the first place that a shard has not looked past, the order is not known.
        var horizon = replies.Where(reply => reply.Item2.Number(1) >= scan).Select(reply => (reply.Item2.Number(2), reply.shard.Number)).DefaultIfEmpty((long.MaxValue, 0)).Min();
        var found = (from reply in replies
                     from item in reply.Item2.List(0)
                     let parts = (RedisResult[])item!
                     let place = (ItemReply.SeqOf(parts), reply.shard.Number)
                     where place.CompareTo(horizon) <= 0
                     orderby place
                     select (Place: place, Parts: parts)).ToList();
        var page = found.Take(request.Max).ToList();
        var rows = page.ConvertAll(item => ItemReply.Read(request.Queue, item.Parts, whole: false));
        var last = page.Count == request.Max ? page[^1].Place : horizon;
        var isEnd = found.Count == page.Count && horizon.Item1 == long.MaxValue;
        return new QueueRead<(List<SealedRow>, string?)>((rows, isEnd ? null : $"{Text(last.Item1)}.{last.Item2}"));
    }

    public async ValueTask<QueueRead<IReadOnlyList<QueueCount>>> CountsAsync(string queue)
    {
        var replies = await AllAsync(calls.Scripts.Counts, queue);
        if (ErrorOf(replies) is { } error)
        {
            return new QueueRead<IReadOnlyList<QueueCount>>(null, error);
        }

        var counts = from reply in replies
                     from lot in reply.Reply.List(0)
                     let parts = (RedisResult[])lot!
                     from state in Enum.GetValues<ItemState>()
                     let count = ((RedisResult[])parts[3]!)[(int)state]
                     where !count.IsNull && (long)count > 0
                     group (long)count by (State: state.Seen((string?)parts[2] == "1"), Route: (string?)parts[0] ?? "", Group: (string?)parts[1] ?? "") into same
                     select new QueueCount(same.Key.State, same.Key.Route, same.Key.Group, same.Sum());
        return new QueueRead<IReadOnlyList<QueueCount>>([.. counts]);
    }

    public async ValueTask<QueueRead<IReadOnlyList<Hold>>> HoldsAsync(string queue)
    {
        var replies = await AllAsync(calls.Scripts.Holds, queue);
        if (ErrorOf(replies) is { } error)
        {
            return new QueueRead<IReadOnlyList<Hold>>(null, error);
        }

        var holds = new Dictionary<string, Hold>(StringComparer.Ordinal);
        foreach (var (_, reply) in replies)
        {
            var pairs = reply.List(0);
            for (var i = 0; i + 1 < pairs.Length; i += 2)
            {
                var (name, value) = ((string)pairs[i]!, (string)pairs[i + 1]!);
                var colon = value.IndexOf(':', StringComparison.Ordinal);
                holds.TryAdd(name, new Hold(
                    queue, (HoldScope)(name[0] - '0'), name[2..], value[(colon + 1)..],
                    DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(value.AsSpan(0, colon), CultureInfo.InvariantCulture))));
            }
        }

        return new QueueRead<IReadOnlyList<Hold>>([.. holds.Values]);
    }

    public async ValueTask<QueueRead<DateTimeOffset?>> OldestAsync(string queue)
    {
        var replies = await AllAsync(calls.Scripts.Oldest, queue);
        return ErrorOf(replies) is { } error
            ? new QueueRead<DateTimeOffset?>(null, error)
            : new QueueRead<DateTimeOffset?>(replies.Select(reply => calls.Local(reply.Reply.Text(0))).Min());
    }

    public async ValueTask<QueueRead<IReadOnlyList<SealKeyUse>>> SealKeysAsync()
    {
        var replies = await AllAsync(calls.Scripts.SealKeys);
        if (ErrorOf(replies) is { } error)
        {
            return new QueueRead<IReadOnlyList<SealKeyUse>>(null, error);
        }

        var uses = from reply in replies
                   from use in reply.Reply.List(0)
                   let parts = (RedisResult[])use!
                   group (Items: (long)parts[1], Oldest: calls.Local((string?)parts[2] ?? "")) by (string)parts[0]! into key
                   select new SealKeyUse(new SealKeyId(ulong.Parse(key.Key, NumberStyles.HexNumber, CultureInfo.InvariantCulture)), key.Sum(use => use.Items), key.Min(use => use.Oldest));
        return new QueueRead<IReadOnlyList<SealKeyUse>>([.. uses]);
    }

    private async Task<(QueueShard Shard, QueueReply Reply)[]> AllAsync(RedisScript script, params RedisValue[] own) =>
        await Task.WhenAll(calls.Shards.Select(async shard => (shard, await calls.RunAsync(script, shard, own))));

    private static QueueError? ErrorOf((QueueShard Shard, QueueReply Reply)[] replies) =>
        replies.Select(reply => reply.Reply.Error).FirstOrDefault(error => error is not null);

    private static (long Seq, int Shard) Parse(string? cursor)
    {
        var dot = cursor?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        return dot > 0 && long.TryParse(cursor.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            && int.TryParse(cursor.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var shard)
            ? (seq, shard)
            : (0, JournalOptions.ShardsMax);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
