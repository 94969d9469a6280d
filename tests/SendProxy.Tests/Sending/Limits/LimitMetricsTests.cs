using SendProxy.Configuration;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Feedback;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>Which series each event moves, and by how much.</summary>
public sealed class LimitMetricsTests
{
    private static readonly LimitOptions Options = new("plan", new Rate(100, TimeSpan.FromSeconds(1)), false, 1, TimeSpan.FromSeconds(5), 10);
    private static readonly Lane Normal = LaneTable.Default.Usual;
    private readonly Prometheus.CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();
    private readonly LimitMetrics.Series _series;

    public LimitMetricsTests() => _series = new LimitMetrics(Prometheus.Metrics.WithCustomRegistry(_registry)).For(Options, LaneTable.Default);

    [Theory]
    [InlineData(PermitRefusal.WaitTooLong, "wait_too_long")]
    [InlineData(PermitRefusal.QueueFull, "queue_full")]
    [InlineData(PermitRefusal.QuotaUsed, "quota_used")]
    [InlineData(PermitRefusal.Closed, "closed")]
    [InlineData(PermitRefusal.Disposed, "shutting_down")]
    public async Task Refused_IsCountedByItsReason(object reason, string word)
    {
        _series.Refused(Normal, (PermitRefusal)reason);

        Assert.Equal(1, await ValueAsync($"sendproxy_limit_refusals_total{{limit=\"plan\",lane=\"normal\",reason=\"{word}\"}}"));
        Assert.Equal(1, await SumAsync("sendproxy_limit_refusals_total{"));
    }

    [Theory]
    [InlineData(2.5, 2.5)]
    [InlineData(-1, 0)]
    public async Task Blocked_CountsSeconds(double seconds, double counted)
    {
        _series.Blocked(TimeSpan.FromSeconds(seconds));

        Assert.Equal(counted, await ValueAsync("sendproxy_limit_blocked_seconds_total{limit=\"plan\"}"));
    }

    [Theory]
    [InlineData(PermitMode.Ready, "ready")]
    [InlineData(PermitMode.Reserved, "reserved")]
    [InlineData(PermitMode.Local, "local")]
    [InlineData(PermitMode.Share, "share")]
    public async Task Granted_CountsPermitsByLaneAndModeAndItsWait(object mode, string word)
    {
        _series.Granted(Normal, (PermitMode)mode, 3, 0.25);

        Assert.Equal(3, await ValueAsync($"sendproxy_limit_permits_total{{limit=\"plan\",lane=\"normal\",mode=\"{word}\"}}"));
        Assert.Equal(0.25, await ValueAsync("sendproxy_limit_wait_seconds_sum{limit=\"plan\",lane=\"normal\"}"));
    }

    [Fact]
    public async Task Ready_WaitsNot()
    {
        _series.Ready(Normal, PermitMode.Ready, 2);

        Assert.Equal(2, await ValueAsync("sendproxy_limit_permits_total{limit=\"plan\",lane=\"normal\",mode=\"ready\"}"));
        Assert.Equal(0, await ValueAsync("sendproxy_limit_wait_seconds_count{limit=\"plan\",lane=\"normal\"}"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Found_IsCountedByKindAndWhetherItWasApplied(bool applied)
    {
        _series.Found(new FeedbackFinding(FeedbackFindingKind.Unrelated, 0), applied);

        Assert.Equal(1, await ValueAsync($"sendproxy_limit_findings_total{{limit=\"plan\",kind=\"unrelated\",applied=\"{(applied ? "true" : "false")}\"}}"));
        Assert.Equal(1, await SumAsync("sendproxy_limit_findings_total{"));
    }

    [Fact]
    public async Task State_IsThatOfTheWholeAndNotOfAPart()
    {
        _series.State(4, 7, 3, 90, isAway: true);
        _series.Part().State(1, 1, 1, 1, isAway: false);

        Assert.Equal((4, 7, 3, 90, 1), (
            await ValueAsync("sendproxy_limit_waiting{limit=\"plan\"}"), await ValueAsync("sendproxy_limit_level{limit=\"plan\"}"),
            await ValueAsync("sendproxy_limit_processes{limit=\"plan\"}"), await ValueAsync("sendproxy_limit_rate{limit=\"plan\"}"),
            await ValueAsync("sendproxy_limit_away{limit=\"plan\"}")));
        Assert.Equal(100, await ValueAsync("sendproxy_limit_plan{limit=\"plan\"}"));
    }

    private async Task<double> ValueAsync(string series) => await SumAsync(series + " ");

    private async Task<double> SumAsync(string start)
    {
        using var page = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(page, TestContext.Current.CancellationToken);
        return System.Text.Encoding.UTF8.GetString(page.ToArray()).Split('\n').Where(l => l.StartsWith(start, StringComparison.Ordinal))
            .Sum(l => double.Parse(l[(l.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }
}
