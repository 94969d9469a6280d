using System.Net;
using System.Net.Sockets;

namespace SendProxy.Hosting;

/// <summary>
/// Addresses on machines without IPv6, as Docker's default network is one: <c>[::]</c> means every address there is, and
/// <c>[::1]</c> is left out beside <c>127.0.0.1</c>. What an operator wrote beyond that fails as it should.
/// </summary>
internal static class Ipv6Fallback
{
    /// <returns>The endpoint, its IPv4 form, or null where it is to be left out.</returns>
    public static IPEndPoint? For(IPEndPoint endpoint) => For(endpoint, HasIpv6Loopback());

    public static IPEndPoint? For(IPEndPoint endpoint, bool hasIpv6) => (hasIpv6, endpoint.Address) switch
    {
        (false, var a) when a.Equals(IPAddress.IPv6Any) => new IPEndPoint(IPAddress.Any, endpoint.Port),
        (false, var a) when a.Equals(IPAddress.IPv6Loopback) => null,
        _ => endpoint,
    };

    private static bool HasIpv6Loopback()
    {
        try
        {
            using var probe = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
