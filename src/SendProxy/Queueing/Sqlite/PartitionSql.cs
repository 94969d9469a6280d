namespace SendProxy.Queueing.Sqlite;

/// <summary>Statements of partitions and holds.</summary>
internal static class PartitionSql
{
    public const string Insert = "INSERT INTO lot (queue, route, grp) VALUES (?1, ?2, ?3) RETURNING lot";

    public const string Delete = "DELETE FROM lot WHERE lot = ?1";

    public const string Partitions = "SELECT lot, queue, route, grp FROM lot";

    // From index item_state alone: the rows, with their bodies, are not read.
    public const string Counts = "SELECT lot, state, count(*) FROM item INDEXED BY item_state GROUP BY lot, state";

    public const string Ready =
        "SELECT lot, lane, count(*) FROM item INDEXED BY item_ready WHERE ready = 1 GROUP BY lot, lane";

    public const string Hold = """
        INSERT INTO hold (queue, scope, name, reason, since) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT DO UPDATE SET reason = excluded.reason, since = excluded.since
        """;

    public const string Release = "DELETE FROM hold WHERE queue = ?1 AND scope = ?2 AND name = ?3";

    public const string Holds = "SELECT queue, scope, name, reason, since FROM hold";
}
