using Microsoft.AspNetCore.Connections;
using SendProxy.Overload;

namespace SendProxy.Hosting;

/// <summary>How many connections one listener takes, in all and of one address.</summary>
internal readonly record struct ConnectionBounds(int All, int OfAddress);

/// <summary>
/// Bounds the connections of each listener, in all and by peer address, and charges them to the memory budget. At a bound the connection
/// that has waited longest without a whole request gives way to the new one: whoever holds many open and sends nothing only displaces
/// himself, and a caller that sends at once is served.
/// </summary>
internal sealed partial class ConnectionLimiter(
    Func<ListenerKind, ConnectionBounds> bounds, MemoryBudget budget, ConnectionMetrics metrics, DataRateMonitor rates, TimeProvider time,
    ILogger<ConnectionLimiter> logger)
{
    private static readonly TimeSpan LogEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<ListenerKind, HashSet<ListenerConnection>> _open = [];
    private readonly Dictionary<(ListenerKind, PeerAddress), int> _byAddress = [];
    private readonly Dictionary<ListenerKind, long> _logged = [];

    /// <summary>The connection's whole life, from its acceptance to its end.</summary>
    public async Task RunAsync(ListenerKind kind, ConnectionContext context, ConnectionDelegate next)
    {
        var connection = new ListenerConnection(kind, context, PeerAddress.Of(context.RemoteEndPoint), time.GetTimestamp());
        if (!TryAdd(connection))
        {
            metrics.Refused(kind);
            return;
        }

        context.Features.Set(connection);
        budget.Charge(MemoryUse.Connection, ConnectionOptions.ConnectionBytes);
        try
        {
            await next(context);
        }
        finally
        {
            budget.Release(MemoryUse.Connection, ConnectionOptions.ConnectionBytes);
            lock (_lock)
            {
                Remove(connection);
            }
        }
    }

    private bool TryAdd(ListenerConnection connection)
    {
        var kind = connection.Kind;
        var (all, ofAddress) = bounds(kind);
        ListenerConnection? displaced = null;
        lock (_lock)
        {
            var open = _open.TryGetValue(kind, out var known) ? known : _open[kind] = [];
            var isAddressFull = _byAddress.GetValueOrDefault((kind, connection.Peer)) >= ofAddress;
            if (isAddressFull || open.Count >= all)
            {
                displaced = LongestWaiting(open, isAddressFull ? connection.Peer : null);
                if (displaced is null)
                {
                    // All of them are at work. One whose peer is silent in the middle of its body makes room for the next that comes.
                    rates.EndLongest();
                    Tell(kind, all);
                    return false;
                }

                Remove(displaced);
            }

            open.Add(connection);
            _byAddress[(kind, connection.Peer)] = _byAddress.GetValueOrDefault((kind, connection.Peer)) + 1;
            metrics.Open(kind, open.Count);
        }

        if (displaced is not null)
        {
            metrics.Displaced(kind);
            Tell(kind, all);
            displaced.Close();
        }

        return true;
    }

    private static ListenerConnection? LongestWaiting(HashSet<ListenerConnection> open, PeerAddress? of)
    {
        ListenerConnection? longest = null;
        var since = long.MaxValue;
        foreach (var connection in open)
        {
            if (connection.WaitingSince is { } waiting && waiting < since && (of is null || connection.Peer == of))
            {
                (longest, since) = (connection, waiting);
            }
        }

        return longest;
    }

    private void Remove(ListenerConnection connection)
    {
        if (connection.IsClosed)
        {
            return;
        }

        connection.IsClosed = true;
        var (kind, peer) = (connection.Kind, connection.Peer);
        _open[kind].Remove(connection);
        metrics.Open(kind, _open[kind].Count);
        if (--_byAddress[(kind, peer)] == 0)
        {
            _byAddress.Remove((kind, peer));
        }
    }

    // Once a minute: a flood must not fill the log.
    private void Tell(ListenerKind kind, int all)
    {
        lock (_lock)
        {
            if (_logged.TryGetValue(kind, out var last) && time.GetElapsedTime(last) < LogEvery)
            {
                return;
            }

            _logged[kind] = time.GetTimestamp();
        }

        Log.Full(logger, kind.ToString().ToLowerInvariant(), all);
    }

    private static partial class Log
    {
        [LoggerMessage(120, LogLevel.Warning,
            "The listener {Listener} is at a bound of its connections (listen.maxConnections: {Most}, or perAddress); those that wait longest without a request are closed")]
        public static partial void Full(ILogger logger, string listener, int most);
    }
}
