using SendProxy.Secrets;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace SendProxy.Redis;

/// <summary>Makes the connection's settings: nothing of the library may wait, queue or guess on its own.</summary>
internal static class RedisConnector
{
    // A command that is unanswered for so long after its caller has gone is given up; after four times of it without any
    // answer the library drops the connection.
    private const int GivenUpMs = 1000;

    public static ConfigurationOptions Configure(RedisOptions options, WatchedSecret? password)
    {
        var configuration = ConfigurationOptions.Parse(options.Connection);
        configuration.Defaults = new Defaults(password);
        configuration.AbortOnConnectFail = false;
        configuration.AllowAdmin = true; // The journal asks with CONFIG GET what Redis keeps; nothing else of it is used.
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        configuration.ConnectTimeout = 2 * GivenUpMs;
        configuration.AsyncTimeout = GivenUpMs + (int)options.CallTimeout.TotalMilliseconds;
        configuration.SyncTimeout = configuration.AsyncTimeout;
        configuration.HeartbeatInterval = TimeSpan.FromMilliseconds(500);
        // The library's own default doubles its pause up to a minute.
        configuration.ReconnectRetryPolicy = new LinearRetry(500);
        configuration.ClientName = "sendproxy";
        configuration.IncludeDetailInExceptions = false;
        configuration.IncludePerformanceCountersInExceptions = false;
        if (options.Tls)
        {
            configuration.Ssl = true;
        }

        return configuration;
    }

    /// <summary>Asked at each connect, so that a changed password is used without a restart.</summary>
    private sealed class Defaults(WatchedSecret? password) : DefaultOptionsProvider
    {
        public override string? Password => password?.Set.Current?.Reveal();
    }
}
