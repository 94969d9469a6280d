using System.Net.Sockets;
using Prometheus;

namespace SendProxy.Upstreams.Connections;

/// <summary>
/// Counts the open connections of one upstream and the attempts that use or want one. By it an attempt that waited for a free
/// connection can be told from one whose connection failed. Safe for threads.
/// </summary>
internal sealed class ConnectionCount(int max, Gauge.Child? open = null)
{
    private int _open;
    private int _attempts;

    /// <summary>Setting <c>connections.max</c>: HTTP/1.1 carries so many attempts at once.</summary>
    public int Max => max;

    /// <summary>One more attempt would have to wait for another's end.</summary>
    public bool IsFull => Volatile.Read(ref _attempts) >= max || Volatile.Read(ref _open) >= max;

    public void BeginAttempt() => Interlocked.Increment(ref _attempts);

    public void EndAttempt() => Interlocked.Decrement(ref _attempts);

    /// <returns>The connection's stream; its end is counted when it is disposed of.</returns>
    public Stream Opened(Socket socket)
    {
        Interlocked.Increment(ref _open);
        open?.Inc();
        return new CountedStream(socket, this);
    }

    private void Closed()
    {
        Interlocked.Decrement(ref _open);
        open?.Dec();
    }

    private sealed class CountedStream(Socket socket, ConnectionCount count) : NetworkStream(socket, ownsSocket: true)
    {
        private int _closed;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (Interlocked.Exchange(ref _closed, 1) == 0)
            {
                count.Closed();
            }
        }
    }
}
