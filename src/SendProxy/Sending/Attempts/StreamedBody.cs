using System.Buffers;
using SendProxy.Errors;

namespace SendProxy.Sending.Attempts;

/// <summary>
/// A request's body that is too large to keep: what was read of it, then the rest as the caller sends it. It can go out once only.
/// Its bound is counted as it goes, and a live key in it is found before any byte of the key has left.
/// </summary>
internal sealed class StreamedBody : IDisposable
{
    /// <summary>Bytes that are held back until the bytes behind them were searched: the length of a key of 256 characters, each escaped as six.</summary>
    public const int HeldBackBytes = 2048;

    private const int BufferBytes = 32 * 1024;

    private readonly ReplayBody _head;
    private readonly Stream _rest;
    private readonly Func<ReadOnlyMemory<byte>, bool>? _isForbidden;
    private readonly CancellationTokenSource _ending = new();
    private readonly CancellationToken _over;
    private int _taken;
    private long _bytes;

    /// <param name="head">What was read already; owned by who made this.</param>
    /// <param name="length">As the caller announced it; null where it comes in chunks.</param>
    /// <param name="isForbidden">Whether a piece of the body holds something that must not go out; null where nothing is searched for.</param>
    public StreamedBody(ReplayBody head, Stream rest, long? length, long maxBytes, Func<ReadOnlyMemory<byte>, bool>? isForbidden)
    {
        (_head, _rest, Length, MaxBytes, _isForbidden) = (head, rest, length, maxBytes, isForbidden);
        _over = _ending.Token;
    }

    public long? Length { get; }

    public long MaxBytes { get; }

    /// <summary>Read so far.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Why it could not be sent whole; null while nothing is wrong with it.</summary>
    public ProxyError? Fault { get; private set; }

    /// <summary>All of it was handed to a connection.</summary>
    public bool IsWhole { get; private set; }

    /// <exception cref="IOException">It broke off or must not go on: <see cref="Fault"/> says why.</exception>
    public async Task CopyToAsync(Stream to, CancellationToken cancellation)
    {
        if (Interlocked.Exchange(ref _taken, 1) != 0)
        {
            throw new System.Diagnostics.UnreachableException("A streamed body has one attempt.");
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _over);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var reach = _isForbidden is null ? 0 : HeldBackBytes;
            var (held, read) = (0, 1);
            while (read > 0)
            {
                read = await ReadAsync(buffer.AsMemory(held), cancellation, either.Token);
                Check(buffer.AsMemory(0, held + read));
                var ready = read == 0 ? held : Math.Max(0, held + read - reach);
                if (ready > 0)
                {
                    await to.WriteAsync(buffer.AsMemory(0, ready), cancellation);
                }

                held += read - ready;
                buffer.AsSpan(ready, held).CopyTo(buffer);
            }

            IsWhole = true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>The caller's request is over: nothing more is read of it.</summary>
    public void Dispose()
    {
        if (Volatile.Read(ref _taken) != 0 && !IsWhole)
        {
            Fault ??= ProxyError.BodyIncomplete;
        }

        _ending.Cancel();
        _ending.Dispose();
    }

    private async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken attempt, CancellationToken either)
    {
        var at = (int)Math.Min(Bytes, _head.Length);
        if (at < _head.Length)
        {
            var count = Math.Min(buffer.Length, _head.Length - at);
            _head.Memory.Slice(at, count).CopyTo(buffer);
            Interlocked.Add(ref _bytes, count);
            return count;
        }

        try
        {
            var read = await _rest.ReadAsync(buffer, either);
            Interlocked.Add(ref _bytes, read);
            return read;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException && !attempt.IsCancellationRequested)
        {
            throw Broken(ProxyError.BodyIncomplete);
        }
    }

    private void Check(ReadOnlyMemory<byte> piece)
    {
        if (Bytes > MaxBytes)
        {
            throw Broken(ProxyError.BodyTooLarge);
        }

        if (_isForbidden?.Invoke(piece) == true)
        {
            throw Broken(ProxyError.SecretInRequest);
        }
    }

    private IOException Broken(ProxyError why)
    {
        Fault = why;
        return new IOException("The caller's body ends here.");
    }
}
