using SendProxy.Queueing.Redis.Shards;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis;

/// <summary>What Redis says of itself.</summary>
/// <param name="Level">The weakest of its nodes; null where it does not say.</param>
/// <param name="Reading">As it was read, for the log.</param>
/// <param name="Eviction">A policy that may drop items; null where none does.</param>
internal sealed record RedisKeeping(Durability? Level, string Reading, string? Eviction);

/// <summary>Reads how well the shards' nodes keep what they acknowledge.</summary>
internal sealed class RedisDurability(QueueCalls calls, JournalOptions options)
{
    /// <returns>Null where Redis did not answer.</returns>
    public async Task<RedisKeeping?> ReadAsync()
    {
        RedisKeeping? weakest = null;
        foreach (var shard in calls.Shards)
        {
            if (await ReadAsync(shard) is not { } found)
            {
                return null;
            }

            weakest = weakest is null || found.Level is null || found.Level < weakest.Level
                ? found with { Eviction = found.Eviction ?? weakest?.Eviction }
                : weakest with { Eviction = weakest.Eviction ?? found.Eviction };
        }

        return weakest;
    }

    private async Task<RedisKeeping?> ReadAsync(QueueShard shard)
    {
        if (options.Assume is { } assumed)
        {
            return new RedisKeeping(Raised(assumed), $"journal.assume says {assumed.WireName()}", null);
        }

        var appendOnly = await ConfigAsync(shard, "appendonly");
        if (appendOnly.Unanswered)
        {
            return null;
        }

        if (appendOnly.Value is null)
        {
            return new RedisKeeping(null, "CONFIG GET is not allowed: write what it keeps as journal.assume", null);
        }

        var (fsync, policy) = ((await ConfigAsync(shard, "appendfsync")).Value, (await ConfigAsync(shard, "maxmemory-policy")).Value ?? "");

        // Our keys have no lifetime: only a policy that drops any key may drop them.
        var evicts = policy.StartsWith("allkeys", StringComparison.Ordinal);
        var level = appendOnly.Value != "yes" || evicts ? Durability.Memory
            : fsync == "always" ? Durability.Fsync
            : fsync == "everysec" ? Durability.Everysec
            : Durability.Memory;
        return new RedisKeeping(Raised(level), $"appendonly {appendOnly.Value}, appendfsync {fsync}, maxmemory-policy {policy}", evicts ? policy : null);
    }

    // Without an append-only file, a loss of power of all machines takes all, however many they are.
    private Durability Raised(Durability level) => options.Replicas > 0 && level >= Durability.Everysec ? Durability.Replicated : level;

    private async Task<(string? Value, bool Unanswered)> ConfigAsync(QueueShard shard, string name)
    {
        var reply = await calls.Link.AskNodeAsync("config", shard.Key, "CONFIG", "GET", name);
        return reply.Result is { } result ? (((RedisResult[]?)result ?? []) is { Length: > 1 } pair ? (string?)pair[1] : null, false)
            : (null, reply.Refusal is null);
    }
}
