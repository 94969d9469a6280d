using SendProxy.Configuration;
using SendProxy.Secrets;
using StackExchange.Redis;

namespace SendProxy.Redis;

/// <summary>What the processes of a fleet share. Section <c>fleet</c>; cannot be changed while running.</summary>
/// <param name="Size">How many processes there are, for a process that has never met Redis.</param>
/// <param name="Redis">Null: this process is alone.</param>
/// <param name="Fingerprint">Equal for equal settings.</param>
internal sealed record FleetOptions(RedisOptions? Redis, int Size, string Fingerprint)
{
    public static FleetOptions Read(SettingsReader fleet)
    {
        var redis = fleet.OptionalSection("redis", "The Redis that the fleet shares: limits and idempotency keys. None: this process alone.");
        var size = (int)fleet.Integer("size", 1, 1, 10_000,
            "How many processes share the limits: what a process that has never met Redis takes its share by. Later it is known.");
        return new FleetOptions(redis is null ? null : RedisOptions.Read(redis), size, fleet.Fingerprint());
    }
}

/// <summary>Where the fleet's Redis is. Section <c>fleet.redis</c>.</summary>
internal sealed record RedisOptions
{
    /// <summary>Endpoints and options in StackExchange.Redis' syntax, without a password.</summary>
    public required string Connection { get; init; }

    /// <summary>Read at each (re)connect; null where Redis asks for none.</summary>
    public ISecretSource? Password { get; init; }

    public bool Tls { get; init; }

    /// <summary>What each key and channel of ours begins with.</summary>
    public string KeyPrefix { get; init; } = "sendproxy";

    /// <summary>The longest that a request waits for one call; the call after it waits for none until Redis answers again.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Whose it is, for the log: the fleet's or the journal's.</summary>
    public string Whose { get; init; } = "fleet";

    /// <summary>The section that it was read from.</summary>
    public string Section { get; init; } = "fleet.redis";

    /// <param name="whose">Whose section it is.</param>
    /// <param name="callTimeout">Default of <c>callTimeout</c>.</param>
    public static RedisOptions Read(SettingsReader redis, string whose = "fleet", string callTimeout = "50ms")
    {
        var connection = redis.RequiredText("connection",
            "Hosts, as in \"redis-0:6379,redis-1:6379\"; Sentinel: \"sentinel-0:26379,serviceName=mymaster\"; a Cluster is detected.",
            "connection: redis:6379");
        if (connection.Length > 0 && Wrong(connection) is { } wrong)
        {
            redis.Fail("connection", wrong);
        }

        var password = redis.OptionalSection("password", "Where the password stands; a new one is used at the next connect.");
        return new RedisOptions
        {
            Connection = connection,
            Password = password is null ? null : SecretOptions.ReadSource(password, directory: false, required: true),
            Tls = redis.Flag("tls", false, "Connect by TLS; the certificate must be trusted by this machine and fit the host."),
            KeyPrefix = ReadPrefix(redis),
            CallTimeout = redis.Duration("callTimeout", callTimeout, "5ms", "10s",
                "The longest that a request waits for one call; while Redis is away only the first ones wait."),
            Whose = whose,
            Section = $"{whose}.redis",
        };
    }

    // What it says may hold a password: nothing of it is repeated.
    private static string? Wrong(string connection)
    {
        if (connection.Contains("password=", StringComparison.OrdinalIgnoreCase))
        {
            return "has a password in it, which this file may not hold; write password: { file: /run/secrets/redis/password }";
        }

        try
        {
            return ConfigurationOptions.Parse(connection).EndPoints.Count > 0 ? null : "names no host; write connection: redis:6379";
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            return "is not in StackExchange.Redis' syntax; write connection: \"redis-0:6379,redis-1:6379\"";
        }
    }

    private static string ReadPrefix(SettingsReader redis)
    {
        var prefix = redis.Text("keyPrefix", "sendproxy", "What every key in Redis begins with: one for each fleet that shares a Redis.", 64)!;
        redis.Check(prefix.Length > 0 && prefix.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':'),
            "keyPrefix", "takes letters, digits, - _ . and :");
        return prefix;
    }
}
