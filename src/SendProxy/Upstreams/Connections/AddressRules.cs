using System.Net;
using System.Net.Sockets;

namespace SendProxy.Upstreams.Connections;

/// <summary>What kind of place an address leads to.</summary>
internal enum AddressClass
{
    /// <summary>Globally reachable.</summary>
    Public,

    /// <summary>This machine.</summary>
    Loopback,

    /// <summary>RFC 1918, fc00::/7, RFC 6598 (CGNAT).</summary>
    Private,

    /// <summary>169.254.0.0/16, fe80::/10.</summary>
    LinkLocal,

    /// <summary>A cloud's metadata service.</summary>
    Metadata,

    /// <summary>Unspecified, multicast, broadcast, documentation, benchmark, reserved.</summary>
    Reserved,
}

/// <summary>
/// Judges an address after DNS, when the connection is opened, so that a name that changes its address (DNS rebinding) gains nothing. IPv4
/// addresses embedded in IPv6 (mapped, compatible, NAT64, 6to4, Teredo, ISATAP) are judged as what they embed. IANA special-purpose registries.
/// </summary>
internal static class AddressRules
{
    private static readonly (IPNetwork Network, AddressClass Class)[] V4 =
    [
        (IPNetwork.Parse("169.254.169.254/32"), AddressClass.Metadata),
        (IPNetwork.Parse("169.254.170.2/32"), AddressClass.Metadata),
        (IPNetwork.Parse("100.100.100.200/32"), AddressClass.Metadata),
        (IPNetwork.Parse("192.0.0.192/32"), AddressClass.Metadata),
        (IPNetwork.Parse("168.63.129.16/32"), AddressClass.Metadata),
        (IPNetwork.Parse("127.0.0.0/8"), AddressClass.Loopback),
        (IPNetwork.Parse("10.0.0.0/8"), AddressClass.Private),
        (IPNetwork.Parse("172.16.0.0/12"), AddressClass.Private),
        (IPNetwork.Parse("192.168.0.0/16"), AddressClass.Private),
        (IPNetwork.Parse("100.64.0.0/10"), AddressClass.Private),
        (IPNetwork.Parse("169.254.0.0/16"), AddressClass.LinkLocal),
        (IPNetwork.Parse("0.0.0.0/8"), AddressClass.Reserved),
        (IPNetwork.Parse("192.0.0.0/24"), AddressClass.Reserved),
        (IPNetwork.Parse("192.0.2.0/24"), AddressClass.Reserved),
        (IPNetwork.Parse("192.88.99.0/24"), AddressClass.Reserved),
        (IPNetwork.Parse("198.18.0.0/15"), AddressClass.Reserved),
        (IPNetwork.Parse("198.51.100.0/24"), AddressClass.Reserved),
        (IPNetwork.Parse("203.0.113.0/24"), AddressClass.Reserved),
        (IPNetwork.Parse("224.0.0.0/3"), AddressClass.Reserved),
    ];

    private static readonly (IPNetwork Network, AddressClass Class)[] V6 =
    [
        (IPNetwork.Parse("::1/128"), AddressClass.Loopback),
        (IPNetwork.Parse("::/128"), AddressClass.Reserved),
        (IPNetwork.Parse("fd00:ec2::254/128"), AddressClass.Metadata),
        (IPNetwork.Parse("fd20:ce::254/128"), AddressClass.Metadata),
        (IPNetwork.Parse("fe80::/10"), AddressClass.LinkLocal),
        (IPNetwork.Parse("fec0::/10"), AddressClass.Private),
        (IPNetwork.Parse("fc00::/7"), AddressClass.Private),
        (IPNetwork.Parse("ff00::/8"), AddressClass.Reserved),
        (IPNetwork.Parse("2001:db8::/32"), AddressClass.Reserved),
        (IPNetwork.Parse("3fff::/20"), AddressClass.Reserved),
        (IPNetwork.Parse("100::/64"), AddressClass.Reserved),
        (IPNetwork.Parse("2001::/23"), AddressClass.Reserved),
        (IPNetwork.Parse("5f00::/16"), AddressClass.Reserved),
    ];

    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork Nat64Local = IPNetwork.Parse("64:ff9b:1::/48");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Teredo = IPNetwork.Parse("2001::/32");

    /// <summary>Every network that is not simply reachable, and its class.</summary>
    public static IEnumerable<(IPNetwork Network, AddressClass Class)> Denied => V4.Concat(V6);

    public static bool Allows(IPAddress address, bool loopback, bool privateNetworks) => Judge(address) switch
    {
        AddressClass.Public => true,
        AddressClass.Loopback => loopback,
        AddressClass.Private => privateNetworks,
        _ => false,
    };

    public static AddressClass Judge(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return Find(V4, address);
        }

        var plain = new IPAddress(address.GetAddressBytes());
        if (Embedded(plain) is { } inner)
        {
            return Find(V4, inner);
        }

        return Find(V6, plain);
    }

    private static AddressClass Find((IPNetwork Network, AddressClass Class)[] table, IPAddress address)
    {
        foreach (var (network, kind) in table)
        {
            if (network.Contains(address))
            {
                return kind;
            }
        }

        return AddressClass.Public;
    }

    private static IPAddress? Embedded(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        IPAddress At(int offset) => new(bytes.AsSpan(offset, 4));
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (Nat64.Contains(address) || Nat64Local.Contains(address))
        {
            return At(12);
        }

        if (SixToFour.Contains(address))
        {
            return At(2);
        }

        if (Teredo.Contains(address))
        {
            // RFC 4380: the client's IPv4 address stands inverted in the last 32 bits.
            return new IPAddress([(byte)~bytes[12], (byte)~bytes[13], (byte)~bytes[14], (byte)~bytes[15]]);
        }

        // ISATAP (RFC 5214): ...:0[2]00:5efe:a.b.c.d
        if ((bytes[8] & 0xfd) == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe)
        {
            return At(12);
        }

        return Compatible.Contains(address) && !IPAddress.IPv6Loopback.Equals(address) && !IPAddress.IPv6Any.Equals(address)
            ? At(12)
            : null;
    }
}
