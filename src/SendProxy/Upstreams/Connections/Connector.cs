using System.Net;
using System.Net.Sockets;

namespace SendProxy.Upstreams.Connections;

/// <summary>The upstream's name led only to addresses that are not allowed. Nothing was sent.</summary>
internal sealed class AddressRefusedException() : IOException("The name leads to no allowed address.");

/// <summary>
/// Opens connections: resolves, drops addresses that are not allowed, and lets the rest race with a stagger (Happy Eyeballs,
/// RFC 8305), so that one address that swallows packets costs a quarter of a second and not the whole timeout.
/// </summary>
/// <param name="allowLoopback">For upstreams that are on this machine on purpose.</param>
/// <param name="allowPrivate">For upstreams and subscribers in a private network.</param>
/// <param name="resolve">DNS; a parameter so that rebinding can be tested.</param>
/// <param name="dial">Opens one connection; a parameter so that tests see what would be tried.</param>
/// <param name="time">The clock of the stagger and of the memory for addresses that failed.</param>
/// <param name="count">Counts the connections; null where nobody asks.</param>
internal sealed class Connector(
    bool allowLoopback, bool allowPrivate, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null,
    Func<IPEndPoint, CancellationToken, Task<Stream>>? dial = null, TimeProvider? time = null, ConnectionCount? count = null)
{
    /// <summary>How long an attempt runs alone before the next address is tried beside it. RFC 8305, 8: 250 ms.</summary>
    public static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;
    private readonly Func<IPEndPoint, CancellationToken, Task<Stream>> _dial = dial ?? ((endpoint, cancellation) => DialAsync(endpoint, count, cancellation));
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly FailedAddresses _failed = new(time ?? TimeProvider.System);

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

        return allowed.Length == 1
            ? await _dial(new IPEndPoint(allowed[0], endpoint.Port), cancellation)
            : await new ConnectionRace(_dial, _failed, _time).RunAsync(
                [.. _failed.Sort(Interleave(allowed)).Select(a => new IPEndPoint(a, endpoint.Port))], cancellation);
    }

    /// <summary>RFC 8305, 4: the resolver's order, with the families taken in turns, so that one family that is broken does not come first as a whole.</summary>
    public static IEnumerable<IPAddress> Interleave(IPAddress[] addresses)
    {
        var first = addresses.Where(a => a.AddressFamily == addresses[0].AddressFamily).ToArray();
        var second = addresses.Where(a => a.AddressFamily != addresses[0].AddressFamily).ToArray();
        for (var i = 0; i < Math.Max(first.Length, second.Length); i++)
        {
            if (i < first.Length)
            {
                yield return first[i];
            }

            if (i < second.Length)
            {
                yield return second[i];
            }
        }
    }

    private static async Task<Stream> DialAsync(IPEndPoint endpoint, ConnectionCount? count, CancellationToken cancellation)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellation);
            return count?.Opened(socket) ?? new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
