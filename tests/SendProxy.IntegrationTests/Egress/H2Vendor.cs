using System.Buffers.Binary;
using System.Security.Cryptography.X509Certificates;

namespace SendProxy.IntegrationTests.Egress;

/// <summary>What an <see cref="H2Vendor"/> does with a request.</summary>
internal enum H2Reaction
{
    Answer,

    /// <summary>RST_STREAM with REFUSED_STREAM: not processed (RFC 9113, 8.7).</summary>
    Refuse,

    /// <summary>RST_STREAM with INTERNAL_ERROR: nobody knows.</summary>
    ResetInternal,

    /// <summary>GOAWAY whose last stream is below this one: not processed (RFC 9113, 6.8).</summary>
    GoAwayBelow,

    /// <summary>GOAWAY that covers this stream, then the connection ends: nobody knows.</summary>
    GoAwayCovering,
}

/// <summary>
/// A vendor that speaks HTTP/2 in frames written by hand (RFC 9113) over TLS and ALPN: counts the heads that arrive, whoever
/// repeats them, and does with each what no HTTP server would.
/// </summary>
internal sealed class H2Vendor : IAsyncDisposable
{
    private const byte EndStream = 1;
    private const byte Ack = 1;
    private const byte EndHeaders = 4;
    private static readonly byte[] Status200 = [0x88]; // HPACK: the static table's :status 200.

    private readonly WireVendor _wire;
    private readonly Func<int, H2Reaction> _react;
    private readonly bool _atFirstData;
    private int _heads;

    /// <param name="react">From the request's number, from 1.</param>
    /// <param name="atFirstData">React as the body begins, not at its end.</param>
    public H2Vendor(X509Certificate2 certificate, Func<int, H2Reaction> react, bool atFirstData = false)
    {
        (_react, _atFirstData) = (react, atFirstData);
        _wire = new WireVendor(c => ServeAsync(c.Stream), certificate);
    }

    private enum Kind : byte
    {
        Data = 0,
        Headers = 1,
        RstStream = 3,
        Settings = 4,
        Ping = 6,
        GoAway = 7,
    }

    public Uri Address => _wire.Address;

    /// <summary>Requests whose head arrived.</summary>
    public int Heads => Volatile.Read(ref _heads);

    public int Connections => _wire.Connections;

    public ValueTask DisposeAsync() => _wire.DisposeAsync();

    private async Task ServeAsync(Stream stream)
    {
        await stream.ReadExactlyAsync(new byte[24]); // The preface.
        await WriteAsync(stream, Kind.Settings, 0, 0, []);
        var head = new byte[9];
        var number = 0;
        while (true)
        {
            await stream.ReadExactlyAsync(head);
            var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await stream.ReadExactlyAsync(payload);
            var (kind, flags, id) = ((Kind)head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)));
            switch (kind)
            {
                case Kind.Settings when (flags & Ack) == 0:
                    await WriteAsync(stream, Kind.Settings, Ack, 0, []);
                    break;
                case Kind.Ping when (flags & Ack) == 0:
                    await WriteAsync(stream, Kind.Ping, Ack, 0, payload);
                    break;
                case Kind.Headers:
                    number = Interlocked.Increment(ref _heads);
                    break;
                case Kind.Data when _atFirstData || (flags & EndStream) != 0:
                    if (!await ReactAsync(stream, id, _react(number)))
                    {
                        return;
                    }

                    break;
            }
        }
    }

    private static async Task<bool> ReactAsync(Stream stream, int id, H2Reaction reaction)
    {
        switch (reaction)
        {
            case H2Reaction.Answer:
                await WriteAsync(stream, Kind.Headers, EndHeaders, id, Status200);
                await WriteAsync(stream, Kind.Data, EndStream, id, "{}"u8.ToArray());
                return true;
            case H2Reaction.Refuse:
                await WriteAsync(stream, Kind.RstStream, 0, id, Number(7));
                return true;
            case H2Reaction.ResetInternal:
                await WriteAsync(stream, Kind.RstStream, 0, id, Number(2));
                return true;
            case H2Reaction.GoAwayBelow:
                await WriteAsync(stream, Kind.GoAway, 0, 0, [.. Number(id - 1), .. Number(0)]);
                return true;
            default:
                await WriteAsync(stream, Kind.GoAway, 0, 0, [.. Number(id), .. Number(0)]);
                return false;
        }
    }

    private static byte[] Number(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static async Task WriteAsync(Stream stream, Kind kind, byte flags, int id, byte[] payload)
    {
        byte[] frame = [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, (byte)kind, flags, .. Number(id), .. payload];
        await stream.WriteAsync(frame);
        await stream.FlushAsync();
    }
}
