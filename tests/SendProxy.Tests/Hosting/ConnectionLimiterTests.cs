using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Hosting;
using SendProxy.Overload;

namespace SendProxy.Tests.Hosting;

public sealed class ConnectionLimiterTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryBudget _budget = new(1 << 20, isShared: false);
    private readonly DataRateMonitor _rates;
    private readonly ConnectionLimiter _limiter;
    private readonly Prometheus.CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();

    public ConnectionLimiterTests()
    {
        _rates = new DataRateMonitor(new DataRateOptions(1024, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30)), _time);
        _limiter = new ConnectionLimiter(
            _ => new ConnectionBounds(3, 2), _budget, new ConnectionMetrics(Prometheus.Metrics.WithCustomRegistry(_registry)), _rates, _time,
            NullLogger<ConnectionLimiter>.Instance);
    }

    public void Dispose() => _rates.Dispose();

    [Fact]
    public async Task Full_LongestWaitingWithoutARequest_GivesWay()
    {
        var first = Open("10.0.0.1");
        _time.Advance(TimeSpan.FromSeconds(1));
        var second = Open("10.0.0.2");
        _time.Advance(TimeSpan.FromSeconds(1));
        var third = Open("10.0.0.3");
        first.Feature.RequestStarted();

        var fourth = Open("10.0.0.4");

        Assert.Equal((false, true, false, true), (first.IsAborted, second.IsAborted, third.IsAborted, fourth.IsServed));
        await second.EndAsync();
        await first.EndAsync();
        Assert.Equal(2 * ConnectionOptions.ConnectionBytes, _budget.Reserved(MemoryUse.Connection));
    }

    [Fact]
    public void AddressFull_ItsOwnGivesWayAndNoOther()
    {
        var other = Open("10.0.0.9");
        _time.Advance(TimeSpan.FromSeconds(1));
        var first = Open("10.0.0.1");
        _ = Open("10.0.0.1");

        var third = Open("10.0.0.1");

        Assert.Equal((false, true, true), (other.IsAborted, first.IsAborted, third.IsServed));
    }

    [Fact]
    public void AddressFull_OfOneIpv6Network_IsOneAddress()
    {
        var first = Open("2001:db8:1:2::1");
        _ = Open("2001:db8:1:2::2");

        _ = Open("2001:db8:1:2:ffff::3");

        Assert.True(first.IsAborted);
    }

    [Fact]
    public void Full_AllAtWork_NewOneIsRefused()
    {
        foreach (var address in new[] { "10.0.0.1", "10.0.0.2", "10.0.0.3" })
        {
            Open(address).Feature.RequestStarted();
        }

        var fourth = Open("10.0.0.4");

        Assert.False(fourth.IsServed);
        Assert.True(fourth.Ended.IsCompletedSuccessfully);
        Assert.Equal(3 * ConnectionOptions.ConnectionBytes, _budget.Reserved(MemoryUse.Connection));
    }

    [Fact]
    public void RequestEnded_WaitsAgainFromThen()
    {
        var first = Open("10.0.0.1");
        var second = Open("10.0.0.2");
        _ = Open("10.0.0.3");
        first.Feature.RequestStarted();
        _time.Advance(TimeSpan.FromSeconds(1));
        first.Feature.RequestEnded(_time.GetTimestamp());

        _ = Open("10.0.0.4");

        Assert.Equal((false, true), (first.IsAborted, second.IsAborted));
    }

    private Peer Open(string address)
    {
        var peer = new Peer(IPAddress.Parse(address));
        peer.Ended = _limiter.RunAsync(ListenerKind.Webhooks, peer, peer.ServeAsync);
        return peer;
    }

    private sealed class Peer : DefaultConnectionContext
    {
        private readonly TaskCompletionSource _end = new();

        public Peer(IPAddress address) => RemoteEndPoint = new IPEndPoint(address, 1);

        public bool IsServed { get; private set; }

        public bool IsAborted { get; private set; }

        public Task Ended { get; set; } = Task.CompletedTask;

        public ListenerConnection Feature => Features.Get<ListenerConnection>()!;

        public Task ServeAsync(ConnectionContext connection)
        {
            IsServed = true;
            return _end.Task;
        }

        public async Task EndAsync()
        {
            _end.SetResult();
            await Ended;
        }

        public override void Abort(ConnectionAbortedException abortReason) => IsAborted = true;
    }
}
