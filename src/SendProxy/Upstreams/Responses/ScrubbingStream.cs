using SendProxy.Overload;

namespace SendProxy.Upstreams.Responses;

/// <summary>
/// An answer that is passed on as it comes, without the key: also where reads split it. Of what was read it holds back only an
/// end that could be the beginning of the key, so that the events of a stream are not delayed; lengths stay true.
/// </summary>
/// <param name="key">The key's bytes, from <see cref="Scrubber"/>.</param>
/// <param name="found">Told how many were replaced.</param>
internal sealed class ScrubbingStream(Stream inner, byte[] key, Action<int> found) : ReadOnlyStream
{
    private const int ReadBytes = 16 * 1024;

    // The buffer: _start up to _end is ready to go, then _held bytes that may be the key's beginning.
    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private int _held;
    private bool _over;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_start == _end && !_over && buffer.Length > 0)
        {
            Compact();
            Take(await inner.ReadAsync(_buffer.AsMemory(_held, ReadBytes), cancellationToken));
        }

        return Give(buffer.Span);
    }

    public override int Read(Span<byte> buffer)
    {
        while (_start == _end && !_over && buffer.Length > 0)
        {
            Compact();
            Take(inner.Read(_buffer.AsSpan(_held, ReadBytes)));
        }

        return Give(buffer);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Compact()
    {
        if (_buffer.Length == 0)
        {
            _buffer = new byte[ReadBytes + key.Length];
        }

        _buffer.AsSpan(_end, _held).CopyTo(_buffer);
        (_start, _end) = (0, 0);
    }

    private void Take(int read)
    {
        var seen = _buffer.AsSpan(0, _held + read);
        if (read == 0)
        {
            (_over, _end, _held) = (true, seen.Length, 0);
            return;
        }

        if (Secrets.Secret.Erase(seen, key) is var times and > 0)
        {
            found(times);
        }

        _held = PossibleBeginning(seen);
        _end = seen.Length - _held;
    }

    // The longest end of what was seen that the key begins with; never the whole key, which is gone by now.
    private int PossibleBeginning(ReadOnlySpan<byte> seen)
    {
        for (var length = Math.Min(key.Length - 1, seen.Length); length > 0; length--)
        {
            if (seen[^length..].SequenceEqual(key.AsSpan(0, length)))
            {
                return length;
            }
        }

        return 0;
    }

    private int Give(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _end - _start);
        _buffer.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }
}
