namespace SendProxy.Queueing.Redis;

/// <summary>A lease's token names its shard in the lowest bits: a token alone is enough to find what it is for.</summary>
internal static class ShardLease
{
    private const int ShardBits = 6;

    public static long Pack(long token, int shard) => (token << ShardBits) | (uint)shard;

    public static int ShardOf(Lease lease) => (int)(lease.Token & ((1 << ShardBits) - 1));

    public static long TokenOf(Lease lease) => lease.Token >> ShardBits;
}
