using System.Buffers;

namespace SendProxy.Overload;

/// <summary>Memory for one body. It is charged to the budget before it is allocated, and grows as the body comes, whatever length was announced.</summary>
internal sealed class BodyBuffer(MemoryBudget budget, MemoryUse use) : IDisposable
{
    /// <summary>Larger buffers are not pooled: after a flood of large bodies the pool would keep their memory, outside of the budget.</summary>
    public const int MaxPooledBytes = MemoryBudget.SmallBytes;

    private byte[] _buffer = [];

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, Length);

    /// <summary>Gives a buffer of <see cref="BodyBuffer"/> back to where it came from, cleared up to <paramref name="length"/>.</summary>
    public static void Free(byte[] buffer, int length)
    {
        // Cleared, so that a message's text and recipient do not stay in the pool.
        buffer.AsSpan(0, length).Clear();
        if (buffer.Length is > 0 and <= MaxPooledBytes)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <returns>False where the budget has no room for it.</returns>
    public bool TryAppend(in ReadOnlySequence<byte> bytes, long expected)
    {
        var needed = Length + bytes.Length;
        if (needed > _buffer.Length && !TryGrow(needed, expected))
        {
            return false;
        }

        bytes.CopyTo(_buffer.AsSpan(Length));
        Length = (int)needed;
        return true;
    }

    /// <returns>The buffer, still charged: who takes it frees it and releases its whole length.</returns>
    public byte[] Detach()
    {
        var buffer = _buffer;
        (_buffer, Length) = ([], 0);
        return buffer;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            var (size, length) = (_buffer.Length, Length);
            Free(Detach(), length);
            budget.Release(use, size);
        }
    }

    private bool TryGrow(long needed, long expected)
    {
        // Each buffer has twice the size of the last one, but not more than the announced length: then the last one fits exactly.
        var size = Math.Max(needed, Math.Min(Math.Max(_buffer.Length * 2L, 4096), Math.Max(expected, 1)));
        var larger = size <= MaxPooledBytes ? ArrayPool<byte>.Shared.Rent((int)size) : null;
        size = larger?.Length ?? size;
        if (!budget.TryReserve(use, size, _buffer.Length))
        {
            if (larger is not null)
            {
                ArrayPool<byte>.Shared.Return(larger);
            }

            return false;
        }

        larger ??= GC.AllocateUninitializedArray<byte>((int)size);
        _buffer.AsSpan(0, Length).CopyTo(larger);
        if (_buffer.Length > 0)
        {
            Free(_buffer, Length);
            budget.Release(use, _buffer.Length);
        }

        _buffer = larger;
        return true;
    }
}
