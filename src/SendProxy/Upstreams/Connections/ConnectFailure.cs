using System.Net.Sockets;

namespace SendProxy.Upstreams.Connections;

/// <summary>Explains to people why there was no connection: a misspelt name needs another remedy than a firewall.</summary>
internal static class ConnectFailure
{
    /// <returns>What follows a colon; null where nothing is known.</returns>
    public static string? Told(Exception exception) => exception switch
    {
        SocketException socket => Told(socket.SocketErrorCode),
        OperationCanceledException or TimeoutException => "nothing answered within timeouts.connect",
        HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError } => "connections.proxy refused the tunnel",
        { InnerException: { } inner } => Told(inner),
        _ => null,
    };

    private static string? Told(SocketError error) => error switch
    {
        SocketError.HostNotFound or SocketError.NoData => "DNS knows no such name",
        SocketError.TryAgain => "DNS did not answer",
        SocketError.ConnectionRefused => "nothing listens there",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "no network leads there",
        SocketError.TimedOut => "nothing answered",
        _ => null,
    };
}
