using System.Buffers;
using SendProxy.Errors;
using SendProxy.Sending.Attempts;

namespace SendProxy.Egress;

/// <summary>Reads a request's body once, into pooled memory, within the route's and the process's bounds.</summary>
internal sealed class BodyReader(EgressMetrics metrics)
{
    private const int FirstBytes = 4096;
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    private long _held;

    /// <param name="maxBufferedBytes">For all requests of the process together.</param>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    public async Task<(ReplayBody? Body, Refusal? Refusal)> ReadAsync(
        HttpRequest request, long maxBody, long maxBufferedBytes, CancellationToken cancellation)
    {
        if (request.ContentLength is 0 || (request.ContentLength is null && request.Headers.TransferEncoding.Count == 0))
        {
            return (ReplayBody.Empty, null);
        }

        if (request.ContentLength > maxBody)
        {
            return (null, TooLarge(maxBody));
        }

        var size = (int)Math.Min(request.ContentLength ?? FirstBytes, maxBody);
        if (!TryHold(Math.Max(size, 1), maxBufferedBytes, out var buffer))
        {
            return (null, Full(maxBufferedBytes));
        }

        var length = 0;
        try
        {
            while (true)
            {
                var read = await request.Body.ReadAsync(buffer.AsMemory(length), cancellation);
                if (read == 0)
                {
                    var body = ReplayBody.Rented(buffer, length, LetGo);
                    buffer = [];
                    return (body, null);
                }

                length += read;
                if (length > maxBody)
                {
                    return (null, TooLarge(maxBody));
                }

                // A body of the announced length is asked for once more, so that its end is seen.
                if (length == buffer.Length && request.ContentLength != length)
                {
                    if (!TryHold(buffer.Length * 2, maxBufferedBytes, out var larger))
                    {
                        return (null, Full(maxBufferedBytes));
                    }

                    buffer.AsSpan(0, length).CopyTo(larger);
                    Drop(ref buffer);
                    buffer = larger;
                }
                else if (length == request.ContentLength)
                {
                    var body = ReplayBody.Rented(buffer, length, LetGo);
                    buffer = [];
                    return (body, null);
                }
            }
        }
        catch (Exception e) when (e is BadHttpRequestException or IOException)
        {
            return (null, Refusal.NotSent(ProxyError.BodyIncomplete, "The body ended before its announced length, or too slowly."));
        }
        finally
        {
            Drop(ref buffer);
        }
    }

    private static Refusal TooLarge(long maxBody) =>
        Refusal.NotSent(ProxyError.BodyTooLarge, $"The body is larger than the route's maxBody ({Configuration.Units.FormatSize(maxBody)}).");

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
