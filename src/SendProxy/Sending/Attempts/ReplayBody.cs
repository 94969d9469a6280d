using SendProxy.Overload;

namespace SendProxy.Sending.Attempts;

/// <summary>
/// A request's body in pooled memory, so that it can be sent again. Reference counted: an attempt that goes on after its
/// caller left keeps the memory until it ends.
/// </summary>
internal sealed class ReplayBody : IDisposable
{
    public static readonly ReplayBody Empty = new([], 0, null);

    private readonly Action<int>? _freed;
    private readonly int _length;
    private readonly bool _isPooled = true;
    private byte[] _buffer;
    private int _holders = 1;

    private ReplayBody(byte[] buffer, int length, Action<int>? freed)
    {
        _buffer = buffer;
        _length = length;
        _freed = freed;
    }

    private ReplayBody(byte[] bytes) : this(bytes, bytes.Length, null) => _isPooled = false;

    public int Length => _length;

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _length);

    /// <summary>Takes over the buffer of a <see cref="BodyBuffer"/>.</summary>
    /// <param name="freed">Called once with the buffer's size when the last holder lets go.</param>
    public static ReplayBody Rented(byte[] buffer, int length, Action<int>? freed) => new(buffer, length, freed);

    /// <summary>A copy of a body that is stored elsewhere. It belongs to no pool and is charged to no budget.</summary>
    public static ReplayBody Unpooled(ReadOnlyMemory<byte> bytes) => bytes.IsEmpty ? Empty : new(bytes.ToArray());

    /// <summary>Holds the memory until one more <see cref="Dispose"/>.</summary>
    public ReplayBody Hold()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    public void Dispose()
    {
        if (ReferenceEquals(this, Empty) || Interlocked.Decrement(ref _holders) != 0)
        {
            return;
        }

        var buffer = _buffer;
        _buffer = [];
        if (_isPooled)
        {
            BodyBuffer.Free(buffer, _length);
        }
        else
        {
            // Cleared, as pooled memory is: a message's text must not stay in it.
            buffer.AsSpan().Clear();
        }

        _freed?.Invoke(buffer.Length);
    }
}
