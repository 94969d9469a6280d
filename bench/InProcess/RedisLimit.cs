using StackExchange.Redis;

namespace InProcess;

/// <summary>GCRA in Redis, one call for each request: what a limiter library does.</summary>
internal sealed class RedisLimit(IDatabase redis, RedisKey key, int ratePerSecond)
{
    private static readonly string Script = ReadScript();

    private readonly RedisKey[] _keys = [key];
    private readonly RedisValue[] _values = [1_000_000.0 / ratePerSecond, ratePerSecond];

    /// <returns>How long to wait; zero where the request may go, also where Redis is away.</returns>
    public async ValueTask<TimeSpan> AcquireAsync()
    {
        try
        {
            // StackExchange.Redis sends the script once and its digest from then on.
            return TimeSpan.FromMicroseconds((long)await redis.ScriptEvaluateAsync(Script, _keys, _values));
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return TimeSpan.Zero;
        }
    }

    private static string ReadScript()
    {
        using var reader = new StreamReader(typeof(RedisLimit).Assembly.GetManifestResourceStream("gcra.lua")!);
        return reader.ReadToEnd();
    }
}
