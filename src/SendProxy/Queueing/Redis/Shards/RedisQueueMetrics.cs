using Prometheus;

namespace SendProxy.Queueing.Redis.Shards;

/// <summary>How the journal's data was lost.</summary>
internal enum RedisLoss
{
    /// <summary>Redis came back without it.</summary>
    Emptied,

    /// <summary>Redis came back with an older state, as after a failover.</summary>
    RolledBack,

    /// <summary>Single items are gone from Redis.</summary>
    Item,
}

/// <summary>Series of the journal on Redis.</summary>
internal sealed class RedisQueueMetrics
{
    private readonly Counter _losses;
    private readonly Counter _lostItems;
    private readonly Counter _freed;
    private readonly Gauge _durability;

    public RedisQueueMetrics(IMetricFactory metrics)
    {
        _losses = metrics.CreateCounter(
            "sendproxy_journal_losses_total",
            "Times that the journal's Redis came back without data: emptied, or rolled_back (an older state, as after a failover); item: a single item that was gone.", ["kind"]);
        _lostItems = metrics.CreateCounter(
            "sendproxy_journal_lost_items_total", "Unfinished items that the journal held when it was last looked at before a loss.");
        _freed = metrics.CreateCounter(
            "sendproxy_journal_freed_leases_total", "Items taken out of the hands of a process that lives no more.");
        _durability = metrics.CreateGauge(
            "sendproxy_journal_durability", "What an acknowledged item survives: 0 memory, 1 everysec, 2 fsync, 3 replicated; -1 while it is not known.");
        _durability.Set(-1);
        foreach (var kind in Enum.GetValues<RedisLoss>())
        {
            _losses.WithLabels(Word(kind));
        }
    }

    public void Lost(RedisLoss kind, long items)
    {
        _losses.WithLabels(Word(kind)).Inc();
        _lostItems.Inc(items);
    }

    public void Freed(long items) => _freed.Inc(items);

    public void Durable(Durability? level) => _durability.Set(level is { } known ? (int)known : -1);

    private static string Word(RedisLoss kind) => kind switch
    {
        RedisLoss.Emptied => "emptied",
        RedisLoss.RolledBack => "rolled_back",
        _ => "item",
    };
}
