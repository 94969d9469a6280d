using System.Net;
using Microsoft.AspNetCore.Connections;

namespace SendProxy.Hosting;

/// <summary>One accepted connection. A feature of it, so that every request on it has it.</summary>
internal sealed class ListenerConnection(ListenerKind kind, ConnectionContext context, PeerAddress peer, long accepted)
{
    private const long InRequest = 0;

    private long _waitingSince = accepted;

    /// <summary>Which listener it came in by.</summary>
    public ListenerKind Kind => kind;

    public PeerAddress Peer => peer;

    /// <summary>Monotonic time since which it has no request, or an unfinished head; null while a request is worked on.</summary>
    public long? WaitingSince => Interlocked.Read(ref _waitingSince) is not InRequest and var since ? since : null;

    /// <summary>Set when it made way for another: it is not counted any more.</summary>
    public bool IsClosed { get; set; }

    public void RequestStarted() => Interlocked.Exchange(ref _waitingSince, InRequest);

    public void RequestEnded(long now) => Interlocked.Exchange(ref _waitingSince, now);

    public void Close() => context.Abort(new ConnectionAbortedException("listen.maxConnections is reached, and this connection waited longest for a request."));
}

/// <summary>Whose connection it is: an IPv4 address, or the first 64 bits of an IPv6 address, since one peer has all that follow.</summary>
internal readonly record struct PeerAddress(ulong Bits)
{
    private const int Ipv4Bytes = 4;

    public static PeerAddress Of(EndPoint? endpoint)
    {
        if (endpoint is not IPEndPoint { Address: var address })
        {
            return default;
        }

        Span<byte> bytes = stackalloc byte[16];
        (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).TryWriteBytes(bytes, out var written);
        return written == Ipv4Bytes
            ? new(System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes))
            : new(System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes));
    }
}
