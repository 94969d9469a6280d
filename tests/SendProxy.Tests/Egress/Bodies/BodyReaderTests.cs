using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Egress.Bodies;
using SendProxy.Errors;
using SendProxy.Overload;

namespace SendProxy.Tests.Egress.Bodies;

/// <summary>What becomes of a body of each size, announced and in chunks, and that its memory comes back.</summary>
public sealed class BodyReaderTests : IDisposable
{
    private const int MaxBody = 1000;

    private readonly MemoryBudget _budget = new(256 * 1024, isShared: false);
    private readonly DataRateMonitor _rates = new(new DataRateOptions(1024, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30)), new FakeTimeProvider());
    private readonly BodyReader _reader;

    public BodyReaderTests() => _reader = new BodyReader(new RequestBodyReader(_budget, _rates), _budget);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _rates.Dispose();

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, MaxBody)]
    [InlineData(false, 1)]
    [InlineData(false, MaxBody)]
    public async Task Body_UpToTheBound_IsKeptAndItsMemoryComesBack(bool announced, int bytes)
    {
        var sent = Noise(bytes);

        var (body, hasMore, refusal) = await ReadAsync(sent, announced, maxStreamed: 0);

        Assert.Equal((false, null), (hasMore, refusal));
        Assert.Equal(sent, body!.Memory.ToArray());
        Assert.True(_budget.Reserved(MemoryUse.RequestBody) >= bytes);
        body.Dispose();
        Assert.Equal(0, _budget.Total);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Body_BeyondTheBoundOfARouteThatStreams_HasMore(bool announced)
    {
        var (body, hasMore, refusal) = await ReadAsync(Noise(MaxBody + 1), announced, maxStreamed: 10_000);

        Assert.Equal((true, null), (hasMore, refusal));
        Assert.Equal(announced ? 0 : MaxBody + 1, body!.Length);
        body.Dispose();
        Assert.Equal(0, _budget.Total);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Body_BeyondTheBoundOfARouteThatDoesNot_IsTooLarge(bool announced)
    {
        var (body, _, refusal) = await ReadAsync(Noise(MaxBody + 1), announced, maxStreamed: 0);

        Assert.Equal((null, ProxyError.BodyTooLarge, Sent.No), (body, refusal!.Error, refusal.Sent));
        Assert.Equal(0, _budget.Total);
    }

    [Fact]
    public async Task Body_ShorterThanAnnounced_IsIncomplete()
    {
        var request = Request(Noise(10), announced: false);
        request.ContentLength = 20;

        var (body, _, refusal) = await _reader.ReadAsync(request, new BodyLimits(MaxBody, 0, null), Cancel);

        Assert.Equal((null, ProxyError.BodyIncomplete, Sent.No), (body, refusal!.Error, refusal.Sent));
        Assert.Equal(0, _budget.Total);
    }

    [Fact]
    public async Task Budget_IsFull_IsOverloadedAndNamesTheSetting()
    {
        _budget.Charge(MemoryUse.Connection, _budget.Bytes);

        var (body, _, refusal) = await ReadAsync(Noise(10), announced: true, maxStreamed: 0);

        Assert.Equal((null, ProxyError.Overloaded, Sent.No), (body, refusal!.Error, refusal.Sent));
        Assert.Contains("process.maxBufferedBytes (256KiB)", refusal.Detail, StringComparison.Ordinal);
        Assert.NotNull(refusal.RetryAfter);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task NoBody_TakesNothing(bool saysSo)
    {
        var request = Request([], announced: false);
        request.Headers.Remove("Transfer-Encoding");
        request.ContentLength = saysSo ? 0 : null;

        var (body, hasMore, refusal) = await _reader.ReadAsync(request, new BodyLimits(MaxBody, 0, null), Cancel);

        Assert.Equal((0, false, null, 0L), (body!.Length, hasMore, refusal, _budget.Total));
    }

    private async Task<(SendProxy.Sending.Attempts.ReplayBody? Body, bool HasMore, Refusal? Refusal)> ReadAsync(byte[] sent, bool announced, long maxStreamed) =>
        await _reader.ReadAsync(Request(sent, announced), new BodyLimits(MaxBody, maxStreamed, null), Cancel);

    private static HttpRequest Request(byte[] body, bool announced)
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream(body);
        if (announced)
        {
            context.Request.ContentLength = body.Length;
        }
        else
        {
            context.Request.Headers.TransferEncoding = "chunked";
        }

        return context.Request;
    }

    private static byte[] Noise(int bytes)
    {
        var noise = new byte[bytes];
        new Random(bytes).NextBytes(noise);
        return noise;
    }
}
