using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>What a claim found, still sealed.</summary>
internal sealed record ClaimedRows(List<ItemRow> Rows, DateTimeOffset? NextDue, long Version);

/// <summary>
/// Leases what is due. On the journal's thread. 1 the partitions that may be claimed; 2 by lane, merge them by due time and
/// arrival; 3 skip what has another of its order key in flight; 4 lease; 5 when there is less than asked, say when more
/// is due. Held partitions are never looked into: a backlog behind a hold costs a claim nothing.
/// </summary>
internal sealed class SqliteClaims(QueuePartitions partitions, QueueSignals signals)
{
    public ClaimedRows Claim(SqliteSession session, ClaimRequest request, long now)
    {
        var version = signals.Version(request.Queue);
        if (request.Expired)
        {
            return ClaimExpired(session, request, now, version);
        }

        var rows = new List<ItemRow>();
        var cursors = partitions.Of(request.Queue)
            .Where(partition => partition.HasReady && !partitions.IsHeld(partition) && Wanted(request, partition))
            .Select(partition => new PartitionCursor(session, partition, now, request.MaxPerGroup))
            .ToList();
        for (var lane = 0; lane < QueuePartition.Lanes && HasRoom(request, rows); lane++)
        {
            ClaimLane(session, request, cursors, lane, rows);
        }

        var more = !HasRoom(request, rows) || cursors.Exists(cursor => cursor.IsUsedUp);
        return new ClaimedRows(rows, more ? Time(now) : NextDue(session, cursors, now), version);
    }

    private void ClaimLane(
        SqliteSession session, ClaimRequest request, List<PartitionCursor> cursors, int lane, List<ItemRow> rows)
    {
        var heads = new PriorityQueue<PartitionCursor, (long Due, long Seq)>();
        var chunk = Math.Max(2, (request.Max / Math.Max(1, cursors.Count)) + 1);
        foreach (var cursor in cursors)
        {
            if (cursor.Enter(lane, chunk) is { } head)
            {
                heads.Enqueue(cursor, head);
            }
        }

        while (HasRoom(request, rows) && heads.TryDequeue(out var cursor, out _))
        {
            if (cursor.MayGo(session))
            {
                rows.Add(Lease(session, cursor.Partition, cursor.Seq, request.Mark, ready: true));
                cursor.Took();
            }

            if (cursor.Next() is { } head)
            {
                heads.Enqueue(cursor, head);
            }
        }
    }

    private ClaimedRows ClaimExpired(SqliteSession session, ClaimRequest request, long now, long version)
    {
        var overdue = new List<(long Seq, QueuePartition Partition, bool Ready)>();
        using (var found = session.Query(ItemSql.Overdue, request.Queue, now))
        {
            while (overdue.Count < request.Max && found.Read())
            {
                var partition = partitions[found.Number(1)];
                if (Wanted(request, partition))
                {
                    overdue.Add((found.Number(0), partition, found.Int(2) == 1));
                }
            }
        }

        var rows = overdue.ConvertAll(item => Lease(session, item.Partition, item.Seq, request.Mark, item.Ready));
        var next = rows.Count == request.Max ? now : session.Number(ItemSql.NextExpires, request.Queue, now);
        return new ClaimedRows(rows, next is { } at ? Time(at) : null, version);
    }

    private ItemRow Lease(SqliteSession session, QueuePartition partition, long seq, bool mark, bool ready)
    {
        using var leased = session.Query(ItemSql.Lease, seq, mark ? 1 : 0);
        leased.Read();
        var row = ItemRow.Read(leased, partitions, whole: true);
        partitions.Move(session, partition, row.Waiting, ItemState.Leased, row.Item.Lane, ready ? -1 : 0);
        return row;
    }

    private static bool HasRoom(ClaimRequest request, List<ItemRow> rows) =>
        rows.Count < request.Max && (rows.Count == 0 || rows.Sum(row => row.SealedBytes) < request.MaxBytes);

    private static bool Wanted(ClaimRequest request, QueuePartition partition) =>
        request.OnlyGroups?.Contains(partition.Group) != false
        && request.ExcludedGroups?.Contains(partition.Group) != true
        && request.ExcludedRoutes?.Contains(partition.Route) != true;

    private static DateTimeOffset? NextDue(SqliteSession session, List<PartitionCursor> cursors, long now)
    {
        long? next = null;
        foreach (var cursor in cursors)
        {
            for (var lane = 0; lane < QueuePartition.Lanes; lane++)
            {
                if (cursor.Partition.Ready[lane] > 0
                    && session.Number(ItemSql.NextDue, cursor.Partition.Number, lane, now) is long due && !(due >= next))
                {
                    next = due;
                }
            }
        }

        return next is { } at ? Time(at) : null;
    }

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
