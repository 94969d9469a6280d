using System.Net;
using System.Net.Sockets;

namespace SendProxy.Upstreams;

/// <summary>The upstream's name led only to addresses that are not allowed. Nothing was sent.</summary>
internal sealed class AddressRefusedException() : IOException("The name leads to no allowed address.");

/// <summary>Opens connections: resolves, drops addresses that are not allowed, tries the rest in turn.</summary>
/// <param name="allowLoopback">For upstreams that are on this machine on purpose.</param>
/// <param name="allowPrivate">For upstreams and subscribers in a private network.</param>
/// <param name="resolve">DNS; a parameter so that rebinding can be tested.</param>
/// <param name="dial">Opens one connection; a parameter so that tests see what would be tried.</param>
internal sealed class Connector(
    bool allowLoopback, bool allowPrivate, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null,
    Func<IPEndPoint, CancellationToken, Task<Stream>>? dial = null)
{
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;
    private readonly Func<IPEndPoint, CancellationToken, Task<Stream>> _dial = dial ?? DialAsync;

    /// <exception cref="AddressRefusedException">The name has addresses, and none is allowed.</exception>
    /// <exception cref="SocketException">No address, or none answers.</exception>
    public ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation) =>
        ConnectAsync(context.DnsEndPoint, cancellation);

    /// <exception cref="AddressRefusedException">The name has addresses, and none is allowed.</exception>
    /// <exception cref="SocketException">No address, or none answers.</exception>
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint endpoint, CancellationToken cancellation)
    {
        var addresses = IPAddress.TryParse(endpoint.Host, out var literal)
            ? [literal]
            : await _resolve(endpoint.Host, cancellation);
        var allowed = Array.FindAll(addresses, a => AddressRules.Allows(a, allowLoopback, allowPrivate));
        if (allowed.Length == 0)
        {
            throw addresses.Length == 0 ? new SocketException((int)SocketError.HostNotFound) : new AddressRefusedException();
        }

        SocketException? last = null;
        foreach (var address in allowed)
        {
            try
            {
                return await _dial(new IPEndPoint(address, endpoint.Port), cancellation);
            }
            catch (SocketException e)
            {
                last = e;
            }
        }

        throw last!;
    }

    private static async Task<Stream> DialAsync(IPEndPoint endpoint, CancellationToken cancellation)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
