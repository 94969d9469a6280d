using System.Net;
using System.Net.Sockets;

namespace SendProxy.Upstreams.Connections;

/// <summary>
/// Connection attempts to several addresses of one name (RFC 8305, 5): each starts when the one before it has failed, or has run
/// for <see cref="Connector.AttemptDelay"/>. The first connection wins; the others are ended and closed.
/// </summary>
internal sealed class ConnectionRace(Func<IPEndPoint, CancellationToken, Task<Stream>> dial, FailedAddresses failed, TimeProvider time)
{
    private readonly Dictionary<Task<Stream>, (IPAddress Address, long Started)> _running = [];

    /// <exception cref="SocketException">None of them answers.</exception>
    public async Task<Stream> RunAsync(IReadOnlyList<IPEndPoint> endpoints, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Exception? last = null;
        var next = 0;
        try
        {
            while (next < endpoints.Count || _running.Count > 0)
            {
                Task? stagger = null;
                if (next < endpoints.Count)
                {
                    // After the last address there is no other to try.
                    stagger = next == endpoints.Count - 1 ? null : Task.Delay(Connector.AttemptDelay, time, ending.Token);
                    Start(endpoints[next++], ending.Token);
                }

                try
                {
                    if (await FirstAsync(stagger, ending.Token) is { } winner)
                    {
                        return winner;
                    }
                }
                catch (Exception e) when (e is SocketException or IOException)
                {
                    last = e;
                }
            }
        }
        finally
        {
            await ending.CancelAsync();
            Abandon();
        }

        throw last ?? new SocketException((int)SocketError.HostUnreachable);
    }

    private void Start(IPEndPoint endpoint, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        _running.Add(dial(endpoint, cancellation), (endpoint.Address, started));
    }

    /// <returns>Null once the next address is to be tried beside those that run.</returns>
    private async Task<Stream?> FirstAsync(Task? stagger, CancellationToken cancellation)
    {
        var ended = await Task.WhenAny(stagger is null ? _running.Keys : _running.Keys.Append(stagger));
        cancellation.ThrowIfCancellationRequested();
        if (ended is not Task<Stream> attempt)
        {
            return null;
        }

        _running.Remove(attempt, out var of);
        try
        {
            var stream = await attempt;
            failed.Forget(of.Address);
            return stream;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            failed.Add(of.Address);
            throw;
        }
    }

    // Addresses that were slower than the stagger and lost, or ran into the timeout, are tried last for a while.
    private void Abandon()
    {
        foreach (var (attempt, of) in _running)
        {
            if (time.GetElapsedTime(of.Started) >= Connector.AttemptDelay)
            {
                failed.Add(of.Address);
            }

            _ = CloseAsync(attempt);
        }
    }

    private static async Task CloseAsync(Task<Stream> attempt)
    {
        try
        {
            await (await attempt).DisposeAsync();
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It did not connect, so that there is nothing to close.
        }
    }
}
