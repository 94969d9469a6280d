using SendProxy.Sqlite;

namespace SendProxy.Queueing;

/// <summary>What a claim found, still sealed.</summary>
internal sealed record ClaimedRows(List<ItemRow> Rows, DateTimeOffset? NextDue, long Version);

/// <summary>
/// Leases what is due. On the journal's thread. 1 the lots that may be claimed; 2 by lane, merge them by due time and
/// arrival; 3 skip what has another of its order key in flight; 4 lease; 5 when there is less than asked, say when more
/// is due. Held lots are never looked into: a backlog behind a hold costs a claim nothing.
/// </summary>
internal sealed class SqliteClaims(LotBook book, QueueSignals signals)
{
    public ClaimedRows Claim(SqliteSession session, ClaimRequest request, long now)
    {
        var version = signals.Version(request.Queue);
        if (request.Expired)
        {
            return ClaimExpired(session, request, now, version);
        }

        var rows = new List<ItemRow>();
        var lots = book.Of(request.Queue)
            .Where(lot => lot.HasReady && !book.IsHeld(lot) && Wanted(request, lot))
            .Select(lot => new LotCursor(session, lot, now, request.MaxPerGroup))
            .ToList();
        for (var lane = 0; lane < Lot.Lanes && rows.Count < request.Max; lane++)
        {
            ClaimLane(session, request, lots, lane, rows);
        }

        var more = rows.Count >= request.Max || lots.Exists(lot => lot.IsUsedUp);
        return new ClaimedRows(rows, more ? Time(now) : NextDue(session, lots, now), version);
    }

    private void ClaimLane(
        SqliteSession session, ClaimRequest request, List<LotCursor> lots, int lane, List<ItemRow> rows)
    {
        var heads = new PriorityQueue<LotCursor, (long Due, long Seq)>();
        var chunk = Math.Max(2, (request.Max / Math.Max(1, lots.Count)) + 1);
        foreach (var lot in lots)
        {
            if (lot.Enter(lane, chunk) is { } head)
            {
                heads.Enqueue(lot, head);
            }
        }

        while (rows.Count < request.Max && heads.TryDequeue(out var lot, out _))
        {
            if (lot.MayGo(session))
            {
                rows.Add(Lease(session, lot.Lot, lot.Seq, request.Mark, ready: true));
                lot.Took();
            }

            if (lot.Next() is { } head)
            {
                heads.Enqueue(lot, head);
            }
        }
    }

    private ClaimedRows ClaimExpired(SqliteSession session, ClaimRequest request, long now, long version)
    {
        var overdue = new List<(long Seq, Lot Lot, bool Ready)>();
        using (var found = session.Query(ItemSql.Overdue, request.Queue, now))
        {
            while (overdue.Count < request.Max && found.Read())
            {
                var lot = book[found.Number(1)];
                if (Wanted(request, lot))
                {
                    overdue.Add((found.Number(0), lot, found.Int(2) == 1));
                }
            }
        }

        var rows = overdue.ConvertAll(item => Lease(session, item.Lot, item.Seq, request.Mark, item.Ready));
        var next = rows.Count == request.Max ? now : session.Number(ItemSql.NextExpires, request.Queue, now);
        return new ClaimedRows(rows, next is { } at ? Time(at) : null, version);
    }

    private ItemRow Lease(SqliteSession session, Lot lot, long seq, bool mark, bool ready)
    {
        using var leased = session.Query(ItemSql.Lease, seq, mark ? 1 : 0);
        leased.Read();
        var row = ItemRow.Read(leased, book, whole: true);
        book.Move(session, lot, row.Waiting, ItemState.Leased, row.Item.Lane, ready ? -1 : 0);
        return row;
    }

    private static bool Wanted(ClaimRequest request, Lot lot) =>
        request.OnlyGroups?.Contains(lot.Group) != false
        && request.ExcludedGroups?.Contains(lot.Group) != true
        && request.ExcludedRoutes?.Contains(lot.Route) != true;

    private static DateTimeOffset? NextDue(SqliteSession session, List<LotCursor> lots, long now)
    {
        long? next = null;
        foreach (var lot in lots)
        {
            for (var lane = 0; lane < Lot.Lanes; lane++)
            {
                if (lot.Lot.Ready[lane] > 0
                    && session.Number(ItemSql.NextDue, lot.Lot.Number, lane, now) is long due && !(due >= next))
                {
                    next = due;
                }
            }
        }

        return next is { } at ? Time(at) : null;
    }

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
