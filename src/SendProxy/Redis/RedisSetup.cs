namespace SendProxy.Redis;

/// <summary>Wires the fleet's Redis where there is one.</summary>
internal static class RedisSetup
{
    public static IServiceCollection AddRedis(this IServiceCollection services, FleetOptions fleet) => fleet.Redis is { } redis
        ? services.AddSingleton(fleet).AddSingleton<RedisMetrics>().AddSingleton(redis).AddSingleton<RedisLink>()
        : services.AddSingleton(fleet);
}
