using System.Buffers;
using SendProxy.Errors;
using SendProxy.Sending.Attempts;

namespace SendProxy.Egress.Bodies;

/// <summary>Reads a request's body once, into pooled memory, within the route's and the process's bounds.</summary>
internal sealed class BodyReader(EgressMetrics metrics)
{
    private const int FirstBytes = 4096;
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    private long _held;

    /// <param name="maxBufferedBytes">For all requests of the process together.</param>
    /// <returns>The body; or its beginning, where the rest of it is larger than may be kept and is to be streamed.</returns>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    public async ValueTask<(ReplayBody? Body, bool HasMore, Refusal? Refusal)> ReadAsync(
        HttpRequest request, BodyLimits bound, long maxBufferedBytes, CancellationToken cancellation)
    {
        if (request.ContentLength is 0 || (request.ContentLength is null && request.Headers.TransferEncoding.Count == 0))
        {
            return (ReplayBody.Empty, false, null);
        }

        var maxBody = bound.MaxBody;
        if (request.ContentLength > maxBody)
        {
            return request.ContentLength <= bound.MaxStreamed ? (ReplayBody.Empty, true, null) : (null, false, bound.TooLarge());
        }

        var size = (int)Math.Min(request.ContentLength ?? FirstBytes, maxBody);
        if (!TryHold(Math.Max(size, 1), maxBufferedBytes, out var buffer))
        {
            return (null, false, Full(maxBufferedBytes));
        }

        var length = 0;
        try
        {
            while (true)
            {
                var read = await request.Body.ReadAsync(buffer.AsMemory(length), cancellation);
                if (read == 0)
                {
                    return (Take(ref buffer, length), false, null);
                }

                length += read;
                if (length > maxBody)
                {
                    return bound.MaxStreamed > maxBody ? (Take(ref buffer, length), true, null) : (null, false, bound.TooLarge());
                }

                // A body of the announced length is asked for once more, so that its end is seen.
                if (length == buffer.Length && request.ContentLength != length)
                {
                    if (!TryHold(buffer.Length * 2, maxBufferedBytes, out var larger))
                    {
                        return (null, false, Full(maxBufferedBytes));
                    }

                    buffer.AsSpan(0, length).CopyTo(larger);
                    Drop(ref buffer);
                    buffer = larger;
                }
                else if (length == request.ContentLength)
                {
                    return (Take(ref buffer, length), false, null);
                }
            }
        }
        catch (Exception e) when (e is BadHttpRequestException or IOException)
        {
            return (null, false, Refusal.NotSent(ProxyError.BodyIncomplete, "The body ended before its announced length, or too slowly."));
        }
        finally
        {
            Drop(ref buffer);
        }
    }

    private static Refusal Full(long most) => Refusal.NotSent(
        ProxyError.Overloaded, $"Bodies of running requests fill process.maxBufferedBytes ({Configuration.Units.FormatSize(most)}).", TryAgain);

    private bool TryHold(int size, long most, out byte[] buffer)
    {
        buffer = [];
        var rented = ArrayPool<byte>.Shared.Rent(size);
        if (Interlocked.Add(ref _held, rented.Length) > most)
        {
            Interlocked.Add(ref _held, -rented.Length);
            ArrayPool<byte>.Shared.Return(rented);
            return false;
        }

        metrics.Buffered(Volatile.Read(ref _held));
        buffer = rented;
        return true;
    }

    private ReplayBody Take(ref byte[] buffer, int length)
    {
        var body = ReplayBody.Rented(buffer, length, LetGo);
        buffer = [];
        return body;
    }

    private void Drop(ref byte[] buffer)
    {
        if (buffer.Length == 0)
        {
            return;
        }

        LetGo(buffer.Length);
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        buffer = [];
    }

    private void LetGo(int size) => metrics.Buffered(Interlocked.Add(ref _held, -size));
}
