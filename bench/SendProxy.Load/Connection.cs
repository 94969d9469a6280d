using System.Net;
using System.Net.Sockets;

namespace SendProxy.Load;

/// <summary>One keep-alive connection with at most one request on it.</summary>
internal sealed class Connection(EndPoint address, Epoll epoll, int index) : IDisposable
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private Socket? _socket;
    private int _filled;
    private long _seen;
    private long _expected = -1;
    private byte[] _unsent = [];

    /// <summary>When the request on it should have gone out.</summary>
    public long Due { get; private set; }

    public bool Busy { get; private set; }

    /// <returns>False where the connection could not be had.</returns>
    public bool Send(ReadOnlySpan<byte> request, long due)
    {
        try
        {
            _socket ??= Connect();
        }
        catch (SocketException)
        {
            return false;
        }

        (Due, Busy, _filled, _seen, _expected) = (due, true, 0, 0, -1);
        var written = Math.Max(Epoll.Write((int)_socket.Handle, request), 0);
        _unsent = written == request.Length ? [] : request[written..].ToArray();
        return true;
    }

    /// <summary>Reads what is there.</summary>
    /// <returns>The answer's status once it is whole; 0 before; -1 where the connection broke.</returns>
    public int Read()
    {
        if (_socket is null)
        {
            return 0;
        }

        while (true)
        {
            Flush();
            var room = _expected >= 0 ? _buffer.AsSpan(Math.Min(_filled, _buffer.Length / 2)) : _buffer.AsSpan(_filled);
            var read = Epoll.Read((int)_socket.Handle, room);
            if (read <= 0)
            {
                return read == 0 ? Broken() : 0;
            }

            _seen += read;
            _filled = Math.Min(_filled + read, _buffer.Length);
            var head = Answer.Read(_buffer.AsSpan(0, _filled));
            _expected = head.Length;
            if (head.Status > 0 && _expected >= 0 && _seen >= _expected)
            {
                Busy = false;
                if (head.Closes)
                {
                    Broken();
                }

                return head.Status;
            }

            if (_filled == _buffer.Length && _expected < 0)
            {
                return Broken();
            }
        }
    }

    /// <summary>Sends on what did not go out at once: bodies larger than the socket's buffer.</summary>
    public void Flush()
    {
        if (_unsent.Length > 0 && _socket is not null && Epoll.Write((int)_socket.Handle, _unsent) is > 0 and var written)
        {
            _unsent = _unsent[written..];
        }
    }

    public bool Unsent => _unsent.Length > 0;

    public void Dispose() => _socket?.Dispose();

    private int Broken()
    {
        _socket?.Dispose();
        _socket = null;
        _unsent = [];
        var lost = Busy;
        Busy = false;
        return lost ? -1 : 0;
    }

    private Socket Connect()
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, address is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        if (address is IPEndPoint)
        {
            socket.NoDelay = true;
        }

        socket.Connect(address);
        socket.Blocking = false;
        epoll.Watch((int)socket.Handle, index);
        return socket;
    }
}
