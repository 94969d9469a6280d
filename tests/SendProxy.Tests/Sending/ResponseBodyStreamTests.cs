using Microsoft.Extensions.Time.Testing;
using SendProxy.Sending.Responses;
using SendProxy.Overload;

namespace SendProxy.Tests.Sending;

public sealed class ResponseBodyStreamTests : IDisposable
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly Gated _vendor = new();
    private readonly List<ResponseBodyEnd> _ends = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Silence counts from piece to piece: the answer as a whole may take as long as it likes.
    [Fact]
    public async Task Read_EachJustInTime_GoesOn()
    {
        await using var stream = Create();

        for (var i = 0; i < 5; i++)
        {
            var read = stream.ReadAsync(new byte[10], Token);
            _time.Advance(Idle - TimeSpan.FromTicks(1));
            _vendor.Give(3);
            Assert.Equal(3, await read);
            _time.Advance(Idle * 2);
        }

        Assert.Empty(_ends);
    }

    [Fact]
    public async Task Read_Silent_BreaksAfterBodyIdle()
    {
        await using var stream = Create();
        var read = stream.ReadAsync(new byte[10], Token);

        _time.Advance(Idle);

        await Assert.ThrowsAsync<IOException>(() => read.AsTask());
        Assert.Equal([ResponseBodyEnd.TimedOut], _ends);
    }

    [Fact]
    public async Task Read_OfNothing_IsNotTheEnd()
    {
        await using var stream = Create();
        _vendor.Give(0);

        Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty, Token));

        Assert.Empty(_ends);
    }

    [Fact]
    public async Task Read_ToTheEnd_IsToldOnce()
    {
        var stream = Create();
        _vendor.Give(0);

        Assert.Equal(0, await stream.ReadAsync(new byte[1], Token));
        await stream.DisposeAsync();

        Assert.Equal([ResponseBodyEnd.Whole], _ends);
    }

    [Fact]
    public async Task Read_CallerLeaves_IsItsCancellation()
    {
        using var caller = new CancellationTokenSource();
        var stream = Create();
        var read = stream.ReadAsync(new byte[1], caller.Token);

        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.AsTask());
        await stream.DisposeAsync();
        Assert.Equal([ResponseBodyEnd.Left], _ends);
    }

    public void Dispose() => _vendor.Dispose();

    private ResponseBodyStream Create() => new(_vendor, Idle, _time, _ends.Add);

    private sealed class Gated : ReadOnlyStream
    {
        private readonly System.Threading.Channels.Channel<int> _given = System.Threading.Channels.Channel.CreateUnbounded<int>();

        public void Give(int bytes) => _given.Writer.TryWrite(bytes);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _given.Reader.ReadAsync(cancellationToken);
    }
}
