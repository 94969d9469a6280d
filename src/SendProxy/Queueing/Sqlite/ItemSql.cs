namespace SendProxy.Queueing.Sqlite;

/// <summary>Statements of items. Times are Unix milliseconds, ids 16 bytes in network order.</summary>
internal static class ItemSql
{
    /// <summary>
    /// What <see cref="ItemRow.Read"/> reads, in its order; answer and body follow where they are asked for.
    /// </summary>
    private const string Columns = """
        seq, id, lot, schema_version, state, lane, token, attempts, attempting, created, due, deadline, expires,
        finished, order_key, idempotency_key, key_fingerprint, reason, answer_status, metadata, waiting
        """;

    /// <summary>
    /// Whether nothing stands before the item ?1 under its order key. A leased one before it counts; a free one not.
    /// </summary>
    public const string IsReady = """
        (order_key IS NULL OR order_free = 1 OR NOT EXISTS (
            SELECT 1 FROM item AS before WHERE before.lot = item.lot AND before.order_key = item.order_key
            AND before.state < 4 AND before.order_free = 0 AND before.seq < item.seq))
        """;

    /// <summary>?16 is 1 for an item that is stored in its owner's hands: leased, under the first token, and marked.</summary>
    public const string Insert = """
        INSERT INTO item (queue, id, lot, schema_version, state, waiting, ready, lane, created, due, deadline, expires,
            order_key, idempotency_key, key_fingerprint, metadata, body, token, attempting)
        VALUES (?1, ?2, ?3, ?4, ?16, 0, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?16)
        ON CONFLICT (queue, id) DO NOTHING
        """;

    public const string Exists = "SELECT 1 FROM item WHERE queue = ?1 AND id = ?2";

    public const string AnyBefore =
        "SELECT 1 FROM item WHERE lot = ?1 AND order_key = ?2 AND state < 4 AND order_free = 0 LIMIT 1";

    /// <summary>The first of an order key that others wait for, made claimable if it was not.</summary>
    public const string UnblockFirst = """
        UPDATE item SET ready = 1 WHERE seq = (
            SELECT seq FROM item WHERE lot = ?1 AND order_key = ?2 AND state < 4 AND order_free = 0
            ORDER BY seq LIMIT 1)
        AND ready = 0 AND state IN (0, 2) RETURNING lane
        """;

    public const string Head = """
        SELECT seq, lot, state, ready, lane, token, order_key, attempting FROM item WHERE queue = ?1 AND id = ?2
        """;

    public const string Due = """
        SELECT seq, due, order_key FROM item
        WHERE lot = ?1 AND lane = ?2 AND ready = 1 AND due >= ?3 AND (due > ?3 OR seq > ?4) AND due <= ?5
        AND (expires IS NULL OR expires > ?5) ORDER BY due, seq LIMIT ?6
        """;

    public const string NextDue = """
        SELECT due FROM item WHERE lot = ?1 AND lane = ?2 AND ready = 1 AND due > ?3 ORDER BY due LIMIT 1
        """;

    public const string Overdue = """
        SELECT seq, lot, ready FROM item WHERE queue = ?1 AND expires <= ?2 AND state IN (0, 2) ORDER BY expires, seq
        """;

    public const string NextExpires = """
        SELECT expires FROM item WHERE queue = ?1 AND expires > ?2 AND state IN (0, 2) ORDER BY expires LIMIT 1
        """;

    public const string InFlight = """
        SELECT 1 FROM item WHERE lot = ?1 AND order_key = ?2 AND state < 4 AND state = 1 LIMIT 1
        """;

    public const string Lease = $"""
        UPDATE item SET state = 1, ready = 0, token = token + 1,
            attempting = CASE WHEN ?2 = 1 AND attempting = 0 THEN token + 1 ELSE attempting END
        WHERE seq = ?1 RETURNING {Columns}, answer, body
        """;

    public const string Mark = """
        UPDATE item SET attempting = CASE WHEN attempting = 0 THEN token ELSE attempting END,
            key_fingerprint = coalesce(?4, key_fingerprint), deadline = coalesce(?5, deadline)
        WHERE queue = ?1 AND id = ?2 AND token = ?3 AND state = 1
        """;

    public const string Finish = """
        UPDATE item SET state = ?2, ready = 0, finished = ?3, reason = ?4, attempts = attempts + ?5,
            attempting = CASE WHEN ?2 IN (4, 5) THEN 0 ELSE attempting END,
            answer_status = coalesce(?6, answer_status), answer = coalesce(?7, answer)
        WHERE seq = ?1
        """;

    public const string Retry = $"""
        UPDATE item SET state = 2, waiting = 2, due = ?2, reason = ?3, attempts = attempts + ?4,
            attempting = CASE WHEN ?5 = 0 THEN 0 WHEN attempting = 0 THEN token ELSE attempting END,
            order_free = max(order_free, ?6),
            answer_status = coalesce(?7, answer_status), answer = coalesce(?8, answer),
            ready = ?6 OR {IsReady}
        WHERE seq = ?1 RETURNING ready
        """;

    public const string GiveBack = $"""
        UPDATE item SET state = waiting, attempting = CASE WHEN attempting = token THEN 0 ELSE attempting END,
            ready = {IsReady}
        WHERE seq = ?1 RETURNING ready, state
        """;

    /// <summary>
    /// Holds a leased item that does not open, as it was when it was claimed. Those behind it under its order key go on: it may
    /// never open again.
    /// </summary>
    public const string HoldUnopenable = """
        UPDATE item SET state = 3, ready = 0, order_free = 1, reason = ?2,
            attempting = CASE WHEN attempting = token THEN 0 ELSE attempting END
        WHERE seq = ?1
        """;

    public const string Replay = """
        UPDATE item SET state = 0, waiting = 0, ready = 1, order_free = 1, attempts = 0, attempting = 0, due = ?2,
            deadline = NULL, expires = CASE WHEN expires <= ?2 THEN NULL ELSE expires END, finished = NULL,
            reason = NULL
        WHERE seq = ?1
        """;

    public const string Edit = "UPDATE item SET metadata = ?2, body = ?3, idempotency_key = ?4 WHERE seq = ?1";

    public const string Discard = """
        UPDATE item SET state = 8, ready = 0, attempting = 0, finished = ?2 WHERE seq = ?1
        """;

    /// <summary>What a process that ended had in its hands. The mark stays for the owner to judge.</summary>
    public const string Recover = $"UPDATE item SET state = waiting, ready = {IsReady} WHERE queue = ?1 AND state = 1";

    public const string Any = "SELECT 1 FROM item LIMIT 1";

    public const string Get = $"SELECT {Columns}, answer, body FROM item WHERE queue = ?1 AND id = ?2";

    public const string AtPlace = $"SELECT {Columns}, answer, body FROM item WHERE seq = ?1";

    public const string List = $"""
        SELECT {Columns} FROM item WHERE queue = ?1 AND state = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4
        """;

    public const string ListAll = $"SELECT {Columns} FROM item WHERE queue = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

    public const string Oldest = "SELECT created FROM item WHERE queue = ?1 AND state = ?2 ORDER BY seq LIMIT 1";

    public const string OldestFinished = """
        SELECT seq, lot, lane FROM item WHERE state = ?1 AND finished IS NOT NULL AND finished <= ?2
        ORDER BY finished LIMIT ?3
        """;

    public const string Delete = "DELETE FROM item WHERE seq = ?1";
}
