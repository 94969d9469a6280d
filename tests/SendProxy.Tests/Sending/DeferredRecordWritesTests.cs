using SendProxy.Sending.Idempotency;

namespace SendProxy.Tests.Sending;

public class DeferredRecordWritesTests
{
    private readonly List<int> _written = [];
    private Func<int, ValueTask<bool>> _store;

    public DeferredRecordWritesTests() => _store = end =>
    {
        _written.Add(end);
        return ValueTask.FromResult(true);
    };

    [Fact]
    public async Task Write_StoreTakesAll_WritesEachOnceInOrder()
    {
        var writes = Create(size: 1);
        writes.Add(1);
        writes.Add(2);

        await writes.WriteAsync();
        await writes.WriteAsync();

        Assert.Equal([1, 2], _written);
    }

    [Fact]
    public async Task Write_StoreIsAwayAgain_KeepsTheEnd()
    {
        var writes = Create(size: 1);
        writes.Add(1);
        var working = _store;
        _store = _ => ValueTask.FromResult(false);
        await writes.WriteAsync();

        _store = working;
        await writes.WriteAsync();

        Assert.Equal([1], _written);
    }

    [Fact]
    public async Task Write_StoreThrows_KeepsTheEnd()
    {
        var writes = Create(size: 1);
        writes.Add(1);
        var working = _store;
        _store = _ => throw new TimeoutException();
        await Assert.ThrowsAsync<TimeoutException>(writes.WriteAsync);

        _store = working;
        await writes.WriteAsync();

        Assert.Equal([1], _written);
    }

    // What was dropped for the number must not be taken off the bytes: the bound of bytes would be gone.
    [Fact]
    public async Task Add_AboveTheNumber_KeepsTheBoundOfBytes()
    {
        var size = 0L;
        var writes = new DeferredRecordWrites<int>(end => _store(end), _ => size);
        for (var i = 0; i < DeferredRecordWrites<int>.MaxEnds; i++)
        {
            writes.Add(i);
        }

        size = DeferredRecordWrites<int>.MaxBytes;
        writes.Add(-1);
        writes.Add(-2);
        size = 0;
        await writes.WriteAsync();
        _written.Clear();
        size = DeferredRecordWrites<int>.MaxBytes;
        writes.Add(1);
        writes.Add(2);

        await writes.WriteAsync();

        Assert.Equal([1], _written);
    }

    private DeferredRecordWrites<int> Create(long size) => new(end => _store(end), _ => size);
}
