using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Upstreams.Connections;

namespace SendProxy.Tests.Issues;

// A name whose first address swallows packets, or refuses, is reached by its others within the stagger of RFC 8305.
public sealed class ConnectionRaceTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Dictionary<string, TaskCompletionSource<Stream>> _dials = [];
    private readonly List<string> _order = [];
    private readonly Dictionary<string, CancellationToken> _tokens = [];
    private readonly SemaphoreSlim _dialled = new(0);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_FirstAddressSwallowsPackets_TheSecondIsTriedAfterTheStagger()
    {
        var connecting = ConnectAsync(Create("192.0.9.1", "192.0.9.2"));
        await DialledAsync();
        Assert.Equal(["192.0.9.1"], _order);

        _time.Advance(Connector.AttemptDelay);
        await DialledAsync();
        Succeed("192.0.9.2");

        Assert.NotNull(await connecting.WaitAsync(Token));
        Assert.Equal(["192.0.9.1", "192.0.9.2"], _order);
    }

    [Fact]
    public async Task Connect_FirstAddressRefuses_TheSecondIsTriedAtOnce()
    {
        var connecting = ConnectAsync(Create("192.0.9.1", "192.0.9.2"));
        await DialledAsync();

        Fail("192.0.9.1");
        await DialledAsync();
        Succeed("192.0.9.2");

        Assert.NotNull(await connecting.WaitAsync(Token));
    }

    [Fact]
    public async Task Connect_AddressThatFailed_IsTriedLastForAMinute()
    {
        var connector = Create("192.0.9.1", "192.0.9.2");
        var first = ConnectAsync(connector);
        await DialledAsync();
        _time.Advance(Connector.AttemptDelay);
        await DialledAsync();
        Succeed("192.0.9.2");
        await first.WaitAsync(Token);

        foreach (var (wait, expected) in ((TimeSpan, string)[])[(TimeSpan.FromSeconds(50), "192.0.9.2"), (TimeSpan.FromSeconds(11), "192.0.9.1")])
        {
            _time.Advance(wait);
            _order.Clear();
            _dials.Clear();
            var again = ConnectAsync(connector);
            await DialledAsync();
            Assert.Equal(expected, _order[0]);
            Succeed(expected);
            await again.WaitAsync(Token);
        }
    }

    [Fact]
    public async Task Connect_LaterConnections_AreClosed()
    {
        var connecting = ConnectAsync(Create("192.0.9.1", "192.0.9.2"));
        await DialledAsync();
        _time.Advance(Connector.AttemptDelay);
        await DialledAsync();
        Succeed("192.0.9.2");
        await connecting.WaitAsync(Token);

        using var late = new ClosedStream();
        _dials["192.0.9.1"].SetResult(late);

        await late.Closed.Task.WaitAsync(Token);
    }

    [Fact]
    public async Task Connect_AllFail_TellsTheLastReason()
    {
        var connecting = ConnectAsync(Create("192.0.9.1", "2001:678::1"));
        await DialledAsync();
        Fail("192.0.9.1");
        await DialledAsync();
        Fail("2001:678::1");

        await Assert.ThrowsAsync<SocketException>(() => connecting.WaitAsync(Token));
    }

    [Fact]
    public async Task Connect_Cancelled_EndsEveryAttempt()
    {
        using var cancellation = new CancellationTokenSource();
        var connecting = Create("192.0.9.1", "192.0.9.2").ConnectAsync(new DnsEndPoint("two.example", 443), cancellation.Token).AsTask();
        await DialledAsync();

        await cancellation.CancelAsync();

        // A socket ends by its own token; here the test does it.
        Assert.True(_tokens["192.0.9.1"].IsCancellationRequested);
        _dials["192.0.9.1"].SetCanceled(_tokens["192.0.9.1"]);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WaitAsync(Token));
    }

    [Fact]
    public void Interleave_TwoFamilies_TakesThemInTurns() =>
        Assert.Equal(
            ["2001:678::1", "192.0.9.1", "2001:678::2", "192.0.9.2", "2001:678::3"],
            Connector.Interleave([.. ((string[])["2001:678::1", "2001:678::2", "2001:678::3", "192.0.9.1", "192.0.9.2"]).Select(IPAddress.Parse)]).Select(a => a.ToString()));

    public void Dispose() => _dialled.Dispose();

    private static Task<Stream> ConnectAsync(Connector connector) => connector.ConnectAsync(new DnsEndPoint("two.example", 443), Token).AsTask();

    private Connector Create(params string[] addresses) => new(
        false, false, (_, _) => Task.FromResult(addresses.Select(IPAddress.Parse).ToArray()), Dial, _time);

    private Task<Stream> Dial(IPEndPoint endpoint, CancellationToken cancellation)
    {
        var address = endpoint.Address.ToString();
        _dials[address] = new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously);
        _tokens[address] = cancellation;
        _order.Add(address);
        _dialled.Release();
        return _dials[address].Task;
    }

    private Task DialledAsync() => _dialled.WaitAsync(Token);

    private void Succeed(string address) => _dials[address].SetResult(new MemoryStream());

    private void Fail(string address) => _dials[address].SetException(new SocketException((int)SocketError.ConnectionRefused));

    private sealed class ClosedStream : MemoryStream
    {
        public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override void Dispose(bool disposing)
        {
            Closed.TrySetResult();
            base.Dispose(disposing);
        }
    }
}
