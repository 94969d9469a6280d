using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>Walks one partition's due items of one lane in order, some at a time, within one transaction.</summary>
internal sealed class PartitionCursor(SqliteSession session, QueuePartition partition, long now, int max)
{
    private readonly Queue<(long Seq, long Due, string? OrderKey)> _read = [];
    private (long Seq, long Due, string? OrderKey) _at;
    private int _lane;
    private int _chunk;
    private int _taken;
    private bool _ended;

    public QueuePartition Partition => partition;

    public long Seq => _at.Seq;

    /// <summary>The claim's bound for one partition is reached.</summary>
    public bool IsUsedUp => _taken >= max;

    /// <summary>Begins with a lane.</summary>
    /// <returns>Place of its first due item, or null when there is none or the partition is used up.</returns>
    public (long Due, long Seq)? Enter(int lane, int chunk)
    {
        (_lane, _chunk, _at, _ended) = (lane, chunk, (0, long.MinValue, null), partition.Ready[lane] == 0);
        _read.Clear();
        return Next();
    }

    public (long Due, long Seq)? Next()
    {
        if (IsUsedUp)
        {
            return null;
        }

        if (_read.Count == 0 && !_ended)
        {
            Fill();
        }

        if (!_read.TryDequeue(out var next))
        {
            return null;
        }

        _at = next;
        return (next.Due, next.Seq);
    }

    /// <summary>Whether no other item of its order key is in flight.</summary>
    public bool MayGo(SqliteSession session) =>
        _at.OrderKey is null || session.Number(ItemSql.InFlight, partition.Number, _at.OrderKey) is null;

    public void Took() => _taken++;

    private void Fill()
    {
        using var rows = session.Query(ItemSql.Due, partition.Number, _lane, _at.Due, _at.Seq, now, _chunk);
        while (rows.Read())
        {
            _read.Enqueue((rows.Number(0), rows.Number(1), rows.TextOrNull(2)));
        }

        _ended = _read.Count < _chunk;
    }
}
