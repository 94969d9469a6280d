using Prometheus;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;

namespace SendProxy.Tests.Sending;

public class SendingMetricsTests
{
    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();
    private readonly SendingMetrics _metrics;

    public SendingMetricsTests() => _metrics = new SendingMetrics(Prometheus.Metrics.WithCustomRegistry(_registry));

    [Fact]
    public async Task Retried_EachTime_IsCountedByUpstreamAndReason()
    {
        _metrics.Retried("a", AttemptOutcome.NothingWritten);
        _metrics.Retried("a", AttemptOutcome.NothingWritten);
        _metrics.Retried("a", AttemptOutcome.Throttled);
        _metrics.Retried("b", AttemptOutcome.Failed);

        Assert.Equal(
            [
                "sendproxy_retries_total{upstream=\"a\",reason=\"not_sent\"} 2",
                "sendproxy_retries_total{upstream=\"a\",reason=\"throttled\"} 1",
                "sendproxy_retries_total{upstream=\"b\",reason=\"failed\"} 1",
            ],
            await SeriesAsync("sendproxy_retries_total"));
    }

    [Theory]
    [InlineData(nameof(AttemptOutcome.NothingWritten), "not_sent")]
    [InlineData(nameof(AttemptOutcome.ThrottledUnprocessed), "throttled")]
    [InlineData(nameof(AttemptOutcome.Throttled), "throttled")]
    [InlineData(nameof(AttemptOutcome.Unavailable), "throttled")]
    [InlineData(nameof(AttemptOutcome.Failed), "failed")]
    [InlineData(nameof(AttemptOutcome.Broke), "broke")]
    [InlineData(nameof(AttemptOutcome.BodyBroke), "body_broke")]
    [InlineData(nameof(AttemptOutcome.ResponseBroke), "answer_broke")]
    [InlineData(nameof(AttemptOutcome.RejectionBroke), "answer_broke")]
    [InlineData(nameof(AttemptOutcome.InProgress), "in_progress")]
    [InlineData(nameof(AttemptOutcome.CredentialRejected), "key_rejected")]
    [InlineData(nameof(AttemptOutcome.Rejected), "answered")]
    [InlineData(nameof(AttemptOutcome.Undecided), "answered")]
    [InlineData(nameof(AttemptOutcome.Final), "answered")]
    public async Task Attempted_EachOutcome_IsCountedByItsWord(string outcome, string word)
    {
        _metrics.Attempted("a", 1, Enum.Parse<AttemptOutcome>(outcome), 0.02);

        Assert.Equal([$"sendproxy_attempts_total{{upstream=\"a\",attempt=\"1\",outcome=\"{word}\"}} 1"], await SeriesAsync("sendproxy_attempts_total"));
    }

    [Theory]
    [InlineData(1, "1")]
    [InlineData(2, "2")]
    [InlineData(3, "3")]
    [InlineData(4, "4")]
    [InlineData(5, "5+")]
    [InlineData(10, "5+")]
    public async Task Attempted_EachNumber_IsCountedByItsWord(int attempt, string word)
    {
        _metrics.Attempted("a", attempt, AttemptOutcome.Failed, 0.02);

        Assert.Equal([$"sendproxy_attempts_total{{upstream=\"a\",attempt=\"{word}\",outcome=\"failed\"}} 1"], await SeriesAsync("sendproxy_attempts_total"));
    }

    [Fact]
    public async Task Attempted_EachTime_ObservesItsSeconds()
    {
        _metrics.Attempted("a", 1, AttemptOutcome.Final, 0.25);
        _metrics.Attempted("a", 2, AttemptOutcome.Failed, 2);
        _metrics.Attempted("b", 1, AttemptOutcome.Final, 1);

        Assert.Equal(
            ["sendproxy_attempt_duration_seconds_sum{upstream=\"a\"} 2.25", "sendproxy_attempt_duration_seconds_sum{upstream=\"b\"} 1"],
            await SeriesAsync("sendproxy_attempt_duration_seconds_sum"));
        Assert.Equal(
            ["sendproxy_attempt_duration_seconds_count{upstream=\"a\"} 2", "sendproxy_attempt_duration_seconds_count{upstream=\"b\"} 1"],
            await SeriesAsync("sendproxy_attempt_duration_seconds_count"));
    }

    private async Task<string[]> SeriesAsync(string name)
    {
        using var page = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(page, TestContext.Current.CancellationToken);
        return [.. System.Text.Encoding.UTF8.GetString(page.ToArray()).Split('\n')
            .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }
}
