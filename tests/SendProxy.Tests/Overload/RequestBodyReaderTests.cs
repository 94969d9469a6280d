using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Overload;

namespace SendProxy.Tests.Overload;

public sealed class RequestBodyReaderTests : IDisposable
{
    private const int KiB = 1024;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();
    private readonly MemoryBudget _budget = new(1 << 20, isShared: false);
    private readonly DataRateMonitor _rates;
    private readonly RequestBodyReader _reader;
    private readonly Pipe _pipe = new();
    private BodyBuffer? _reading;

    public RequestBodyReaderTests()
    {
        _rates = new DataRateMonitor(new DataRateOptions(KiB, Window, TimeSpan.FromSeconds(30)), _time);
        _reader = new RequestBodyReader(_budget, _rates);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _rates.Dispose();

    [Fact]
    public async Task Silence_AfterAMegabyteAtOnce_EndsWithinOneWindow()
    {
        var reading = ReadAsync(announced: 600 * KiB);
        await SendAsync(500 * KiB);
        await WaitingAsync(500 * KiB);

        _time.Advance(Window);

        Assert.Equal(BodyReadResult.TooSlow, await reading);
        Assert.Equal((1L, 0L, 0), (_rates.TooSlow, _budget.Total, _rates.Waiting));
    }

    [Fact]
    public async Task OneByteASecond_EndsAfterOneWindow()
    {
        var reading = ReadAsync(announced: 100);

        for (var second = 0; second < 5 && !reading.IsCompleted; second++)
        {
            await WaitingAsync(second);
            _time.Advance(TimeSpan.FromSeconds(1));
            await SendAsync(1);
        }

        Assert.Equal(BodyReadResult.TooSlow, await reading);
    }

    [Fact]
    public async Task TwiceTheRate_ForManyWindows_IsTaken()
    {
        var reading = ReadAsync(announced: 40 * KiB);

        for (var second = 0; second < 20; second++)
        {
            await WaitingAsync(second * 2 * KiB);
            _time.Advance(TimeSpan.FromSeconds(1));
            await SendAsync(2 * KiB);
        }

        Assert.Equal(BodyReadResult.Complete, await reading);
    }

    [Fact]
    public async Task AnnouncedLength_IsNotChargedBeforeItComes()
    {
        var reading = ReadAsync(announced: 600 * KiB);
        await SendAsync(10);
        await WaitingAsync(10);

        Assert.InRange(_budget.Total, 10, 64 * KiB);
        await _pipe.Writer.CompleteAsync(new IOException("gone"));
        Assert.Equal(BodyReadResult.Incomplete, await reading);
        Assert.Equal(0, _budget.Total);
    }

    [Fact]
    public async Task NoRoom_EndsTheOneThatIsSilentForLongest()
    {
        var silent = ReadAsync(announced: 700 * KiB);
        await SendAsync(600 * KiB);
        await WaitingAsync(600 * KiB);
        _time.Advance(TimeSpan.FromSeconds(1));

        var refused = await ReadAsync(new MemoryStream(new byte[400 * KiB]), 400 * KiB);

        Assert.Equal(BodyReadResult.NoMemory, refused);
        Assert.Equal(BodyReadResult.TooSlow, await silent);
        Assert.Equal((1L, 0L), (_rates.GaveWay, _budget.Total));
        Assert.Equal(BodyReadResult.Complete, await ReadAsync(new MemoryStream(new byte[400 * KiB]), 400 * KiB));
    }

    [Fact]
    public async Task Rest_LargerThanTheReadersMemory_ComesWhole()
    {
        var body = new byte[700 * KiB];
        Random.Shared.NextBytes(body);
        using var rest = _reader.Rest(Request(_pipe.Reader, null));
        var sending = Task.Run(
            async () =>
            {
                foreach (var piece in body.Chunk(10_000))
                {
                    await _pipe.Writer.WriteAsync(piece, Cancel);
                }

                await _pipe.Writer.CompleteAsync();
            }, Cancel);

        using var received = new MemoryStream();
        await rest.CopyToAsync(received, 32 * KiB, Cancel);
        await sending;

        Assert.Equal(body, received.ToArray());
    }

    [Fact]
    public async Task Rest_Silent_BreaksOff()
    {
        using var rest = _reader.Rest(Request(_pipe.Reader, null));
        await SendAsync(3);
        Assert.Equal(3, await rest.ReadAsync(new byte[10], Cancel));
        var reading = rest.ReadAsync(new byte[10], Cancel).AsTask();
        await WaitingAsync();

        _time.Advance(Window);

        await Assert.ThrowsAsync<TransferTooSlowException>(() => reading);
    }

    [Fact]
    public async Task Response_NotTakenForResponseStall_IsCutOff()
    {
        var aborted = 0;
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 4, resumeWriterThreshold: 2));
        await using var body = new WatchedResponseStream(pipe.Writer.AsStream(), _rates, () =>
        {
            aborted++;
            pipe.Reader.Complete(new IOException("aborted"));
        });
        var writing = body.WriteAsync(new byte[10], Cancel).AsTask();
        await WaitingAsync();

        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(0, aborted);
        _time.Advance(TimeSpan.FromSeconds(1));

        await Assert.ThrowsAnyAsync<IOException>(() => writing);
        Assert.Equal(1, aborted);
    }

    private static HttpRequest Request(PipeReader body, long? announced)
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IRequestBodyPipeFeature>(new BodyFeature(body));
        context.Request.ContentLength = announced;
        return context.Request;
    }

    private Task<BodyReadResult> ReadAsync(long announced) => ReadAsync(Request(_pipe.Reader, announced));

    private Task<BodyReadResult> ReadAsync(Stream body, long announced) => ReadAsync(Request(PipeReader.Create(body), announced));

    private async Task<BodyReadResult> ReadAsync(HttpRequest request)
    {
        using var buffer = _reader.Buffer(MemoryUse.RequestBody);
        _reading = buffer;
        return await _reader.ReadAsync(request, 1 << 20, buffer, Cancel);
    }

    private async Task SendAsync(int bytes)
    {
        _pipe.Writer.GetSpan(bytes)[..bytes].Clear();
        _pipe.Writer.Advance(bytes);
        await _pipe.Writer.FlushAsync(Cancel);
    }

    // The reader's continuation runs on the pool: it is waited for by what it does, not by time.
    private async Task WaitingAsync(int length = 0)
    {
        while (_rates.Waiting == 0 || (_reading?.Length ?? 0) < length)
        {
            Cancel.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private sealed class BodyFeature(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader => reader;
    }
}
