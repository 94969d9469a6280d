namespace SendProxy.Queueing.Sqlite;

/// <summary>
/// Statements of what is sealed under which key. Their conditions are written as in index <c>item_seal_key</c>: only then
/// SQLite uses it.
/// </summary>
internal static class SealKeySql
{
    /// <summary>From the index alone: the rows, with their bodies, are not read.</summary>
    public const string Counts = """
        SELECT substr(metadata, 2, 8), count(*), min(seq) FROM item INDEXED BY item_seal_key
        WHERE state NOT IN (4, 8) GROUP BY substr(metadata, 2, 8)
        """;

    /// <summary>The first key from ?1 on.</summary>
    public const string KeyFrom = """
        SELECT substr(metadata, 2, 8) FROM item INDEXED BY item_seal_key
        WHERE state NOT IN (4, 8) AND substr(metadata, 2, 8) >= ?1 ORDER BY substr(metadata, 2, 8) LIMIT 1
        """;

    /// <summary>Places of the key's items behind ?2.</summary>
    public const string OfKey = """
        SELECT seq FROM item INDEXED BY item_seal_key
        WHERE substr(metadata, 2, 8) = ?1 AND state NOT IN (4, 8) AND seq > ?2 ORDER BY seq LIMIT ?3
        """;

    /// <summary>An item's id from the index of ids alone: for one whose row is gone. Walks the index.</summary>
    public const string IdAt = "SELECT id FROM item INDEXED BY item_id WHERE +seq = ?1";

    public const string Created = "SELECT created FROM item WHERE seq = ?1";

    /// <summary>Versions before schema 4 called an item dead that no key opened.</summary>
    public const string Revive = """
        UPDATE item SET state = 3, finished = NULL WHERE state = 5 AND finished IS NOT NULL AND reason = 'seal_unopenable'
        """;

    /// <summary>Waiting items of the key ?1 are held with the reason ?2.</summary>
    public const string Hold = """
        UPDATE item SET state = 3, ready = 0, reason = ?2
        WHERE substr(metadata, 2, 8) = ?1 AND state NOT IN (4, 8) AND state IN (0, 2)
        """;

    /// <summary>Held items of the queue ?1 and the key ?2 wait as before.</summary>
    public const string Release = $"""
        UPDATE item SET state = waiting, reason = NULL, ready = {ItemSql.IsReady}
        WHERE queue = ?1 AND state = 3 AND substr(metadata, 2, 8) = ?2
        """;
}
