using System.Net;
using System.Net.Sockets;
using SendProxy.Sending;
using SendProxy.Sending.Idempotency;
using SendProxy.Tests.Sending;

namespace SendProxy.Tests.Issues;

// A defect inside an attempt left the record of its idempotency key with its owner until the lease was over: requests with the
// same key waited, or were refused, although nobody worked on it any more.
public sealed class DefectInAttemptTests : IAsyncDisposable
{
    private readonly TcpListener _vendor = new(IPAddress.Loopback, 0);
    private readonly ScriptedStore _store = new();
    private readonly BrokenClock _clock = new();
    private readonly SendingFixture _fixture;

    public DefectInAttemptTests()
    {
        _vendor.Start();
        _fixture = new SendingFixture("idempotency: { carrier: none }", port: ((IPEndPoint)_vendor.LocalEndpoint).Port);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Send_DefectAfterTheRequestWasSent_EndsTheRecordAsUnknown()
    {
        var answering = AnswerAsync(() => { });

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => SendAsync(Token));
        await answering;

        AssertUnknown();
    }

    [Fact]
    public async Task Send_DefectAfterTheCallerLeft_EndsTheRecordAsUnknown()
    {
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var answering = AnswerAsync(caller.Cancel);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SendAsync(caller.Token));
        await answering;
        await _fixture.Get<DetachedAttemptTracker>().DrainAsync(Token);

        AssertUnknown();
    }

    [Fact]
    public async Task Send_DefectBeforeAnythingWasSent_OpensTheRecord()
    {
        _clock.IsBroken = true;

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => SendAsync(Token));

        Assert.Equal((IdempotencyRecordEnd.Open, null), (Assert.Single(_store.Ends).End, _store.Ends[0].Started));
    }

    public async ValueTask DisposeAsync()
    {
        await _fixture.DisposeAsync();
        _vendor.Dispose();
    }

    private void AssertUnknown()
    {
        Assert.Equal(IdempotencyRecordEnd.Unknown, Assert.Single(_store.Ends).End);
        Assert.NotNull(_store.Ends[0].Started);
    }

    private Task<SendOutcome> SendAsync(CancellationToken caller)
    {
        var gate = new IdempotencyGate(() => _store, new UnrecordedSends(_fixture.Get<IdempotencyMetrics>()), _fixture.Get<IdempotencyMetrics>(), TimeProvider.System);
        return _fixture.Sender(gate, _clock).SendAsync(_fixture.Message("order-1"), caller);
    }

    // The clock breaks once the request is here: what reads it to make sense of the response is the defect.
    private async Task AnswerAsync(Action beforeAnswer)
    {
        using var connection = await _vendor.AcceptTcpClientAsync(Token);
        var stream = connection.GetStream();
        await ReadHeadAsync(stream);
        _clock.IsBroken = true;
        beforeAnswer();
        await stream.WriteAsync("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), Token);
    }

    private static async Task ReadHeadAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, leaveOpen: true);
        while (await reader.ReadLineAsync(Token) is { Length: > 0 })
        {
        }
    }

    private sealed class BrokenClock : TimeProvider
    {
        public bool IsBroken { get; set; }

        public override DateTimeOffset GetUtcNow() => IsBroken ? throw new InvalidTimeZoneException("planted") : base.GetUtcNow();
    }
}
