using SendProxy.Overload;

namespace SendProxy.Sending.Responses;

/// <summary>How a streamed answer ended.</summary>
internal enum ResponseBodyEnd
{
    Whole,

    /// <summary>The vendor was silent for longer than <c>timeouts.bodyIdle</c>.</summary>
    TimedOut,

    /// <summary>The vendor's connection broke.</summary>
    Broke,

    /// <summary>The caller went away.</summary>
    Left,
}

/// <summary>The body of a streamed response. Its length has no bound, but each silence has; how it ended is reported once.</summary>
internal sealed class ResponseBodyStream : ReadOnlyStream
{
    private readonly Stream _inner;
    private readonly TimeSpan _idle;
    private readonly CancellationTokenSource _silence;
    private Action<ResponseBodyEnd>? _ended;

    public ResponseBodyStream(Stream inner, TimeSpan idle, TimeProvider time, Action<ResponseBodyEnd> ended)
    {
        (_inner, _idle, _ended) = (inner, idle, ended);
        _silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
    }

    /// <exception cref="IOException">It broke off, or was silent for too long.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            using var caller = cancellationToken.UnsafeRegister(static silence => ((CancellationTokenSource)silence!).Cancel(), _silence);
            _silence.CancelAfter(_idle);
            var read = await _inner.ReadAsync(buffer, _silence.Token);
            _silence.CancelAfter(Timeout.InfiniteTimeSpan);

            // A read of nothing asks whether something has come; it says nothing of the end.
            if (read == 0 && buffer.Length > 0)
            {
                End(ResponseBodyEnd.Whole);
            }

            return read;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            End(ResponseBodyEnd.TimedOut);
            throw new IOException("The answer's body was silent for longer than timeouts.bodyIdle.");
        }
        catch (Exception e) when (e is IOException or HttpRequestException or InvalidDataException)
        {
            End(ResponseBodyEnd.Broke);
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            End(ResponseBodyEnd.Left);
            _silence.Dispose();
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private void End(ResponseBodyEnd end) => Interlocked.Exchange(ref _ended, null)?.Invoke(end);
}
