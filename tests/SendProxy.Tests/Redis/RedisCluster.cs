using System.Globalization;
using StackExchange.Redis;

namespace SendProxy.Tests.Redis;

/// <summary>A real Redis Cluster of three masters on loopback, each with a third of the slots.</summary>
internal sealed class RedisCluster : IAsyncDisposable
{
    private const int Slots = 16384;
    private const int Nodes = 3;

    private readonly List<RedisProcess> _nodes = [];
    private ConnectionMultiplexer? _admin;

    /// <summary>Hosts and ports with commas: what <c>fleet.redis.connection</c> takes.</summary>
    public string Address => string.Join(',', _nodes.Select(n => n.Address));

    public IDatabase Database => _admin!.GetDatabase();

    /// <summary>One node: to be paused, for example.</summary>
    public RedisProcess Node(int number) => _nodes[number];

    /// <returns>Null where there is no redis-server.</returns>
    public static Task<RedisCluster?> TryStartAsync() => RedisServer.TryStartAsync(StartAsync);

    /// <returns>The keys of that pattern on all nodes.</returns>
    public RedisKey[] Keys(string pattern) => [.. _admin!.GetServers().SelectMany(s => s.Keys(pattern: pattern))];

    /// <summary>Which node has a key's slot.</summary>
    public int NodeOf(RedisKey key) => Database.IdentifyEndpoint(key) is System.Net.IPEndPoint at
        ? _nodes.FindIndex(n => n.Port == at.Port)
        : throw new InvalidOperationException("The slot is nobody's.");

    public async ValueTask DisposeAsync()
    {
        if (_admin is not null)
        {
            await _admin.DisposeAsync();
        }

        _nodes.ForEach(n => n.Dispose());
    }

    private static async Task<RedisCluster> StartAsync()
    {
        var cluster = new RedisCluster();
        try
        {
            await cluster.FormAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    private async Task FormAsync()
    {
        // The bus' default port is 10,000 above the other one, which may be beyond all ports.
        var buses = new int[Nodes];
        for (var i = 0; i < Nodes; i++)
        {
            var number = i;
            _nodes.Add(await RedisProcess.StartAsync(_ => [
                "--save", "", "--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
                "--cluster-port", (buses[number] = RedisProcess.FreePort()).ToString(CultureInfo.InvariantCulture)]));
        }

        var each = new List<ConnectionMultiplexer>();
        foreach (var node in _nodes)
        {
            each.Add(await RedisServer.AdminAsync(node.Address, null));
        }

        for (var i = 0; i < Nodes; i++)
        {
            var node = each[i].GetServer(_nodes[i].Address);
            await node.ExecuteAsync("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
            await node.ExecuteAsync("CLUSTER", "ADDSLOTSRANGE", i * Slots / Nodes, ((i + 1) * Slots / Nodes) - 1);
            await node.ExecuteAsync("CLUSTER", "MEET", "127.0.0.1", _nodes[0].Port, buses[0]);
        }

        for (var i = 0; i < Nodes; i++)
        {
            var node = each[i].GetServer(_nodes[i].Address);
            await RedisProcess.UntilAsync(async () => (string?)await node.ExecuteAsync("CLUSTER", "INFO") is { } info
                && info.Contains("cluster_state:ok", StringComparison.Ordinal) && info.Contains("cluster_known_nodes:3", StringComparison.Ordinal), "The cluster did not form.");
            await each[i].DisposeAsync();
        }

        _admin = await RedisServer.AdminAsync(Address, null);
    }
}
