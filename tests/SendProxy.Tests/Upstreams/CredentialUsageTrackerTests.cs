using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Secrets;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Tests.Upstreams;

public class CredentialUsageTrackerTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddDays(20_000));
    private readonly LinesLogger _log = new();
    private readonly Prometheus.IMetricFactory _metrics = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());
    private readonly CredentialUsageTracker _book;
    private readonly SelectedCredential _key = new(new Secret("sk_live_current1"), SecretSlot.Current);
    private readonly SelectedCredential _other = new(new Secret("sk_live_next0001"), SecretSlot.Next);

    public CredentialUsageTrackerTests() => _book = new CredentialUsageTracker(new CredentialMetrics(_metrics, _time), _time, _log);

    [Fact]
    public void Rejected_WithAnother_AlarmsAndNamesBothByFingerprint()
    {
        _book.Rejected("sendapi", _key, _other);

        var line = Assert.Single(_log.Lines);
        Assert.StartsWith("Error", line, StringComparison.Ordinal);
        Assert.Contains(_key.Fingerprint, line, StringComparison.Ordinal);
        Assert.Contains($"the key {_other.Fingerprint} (next) goes first", line, StringComparison.Ordinal);
        Assert.DoesNotContain("sk_live_", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejected_OnlyKey_SaysThatRequestsFail()
    {
        _book.Rejected("sendapi", _key, null);

        Assert.Contains("there is no other key", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Rejected_ManyTimes_AlarmsOnceAMinuteForEachKey()
    {
        Refuse(1000);
        _time.Advance(CredentialUsageTracker.AlarmEvery - TimeSpan.FromTicks(1));
        Refuse(1);
        Assert.Single(_log.Lines);

        _time.Advance(TimeSpan.FromTicks(1));
        Refuse(1);
        Assert.Equal(2, _log.Lines.Count);

        _book.Rejected("sendapi", _other, _key);
        Assert.Equal(3, _log.Lines.Count);
    }

    [Fact]
    public void TookOver_ManyTimes_IsToldOnceAMinute()
    {
        for (var i = 0; i < 100; i++)
        {
            _book.TookOver("sendapi", _key, _other);
        }

        Assert.Contains($"{_other.Fingerprint} (next) of upstream sendapi took over from {_key.Fingerprint}", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Report_RotatedFile_TellsOfTheOldKeyUntilItMayGo()
    {
        var source = new Slots { Current = "sk_live_current1" };
        var credential = Credential(source);
        _book.Show([credential]);
        var old = credential.Choose(0.5)!;
        var running = credential.Begin(old);
        credential.Accepted(old);
        source.Current = "sk_live_current2";
        credential.Watched.Poll();
        credential.Watched.Poll();

        Assert.Equal([("current", false), ("gone", false)], Rows());
        Assert.Equal("attempts under it are running: 1", Why("gone"));

        running.End();
        Assert.StartsWith("accepted less than 10 min ago", Why("gone"), StringComparison.Ordinal);

        _time.Advance(Revocation.QuietFor);
        Assert.Equal("the current key has not been accepted yet", Why("gone"));

        credential.Accepted(credential.Choose(0.5)!);
        Assert.Equal([("current", false), ("gone", true)], Rows());
    }

    [Fact]
    public void Report_RefusedKey_RestsAndIsCounted()
    {
        var credential = Credential(new Slots { Current = "sk_live_current1", Next = "sk_live_next0001" });
        _book.Show([credential]);
        credential.Rejected(credential.Choose(0.5)!);

        var report = _book.Report()[0];

        Assert.Equal(("resting", 1, 0), (report.State, report.Rejected, report.Answers));
        Assert.Equal(_time.GetUtcNow() + Rest, report.RestsUntil);
    }

    [Fact]
    public void Report_NoKey_SaysWhatTheSourceIs() =>
        Assert.Equal(("none", "missing"), ShowEmpty());

    private static TimeSpan Rest => SendProxy.Upstreams.Credentials.Credential.Rest;

    private (string, string) ShowEmpty()
    {
        _book.Show([Credential(new Slots())]);
        var report = Assert.Single(_book.Report());
        return (report.Slot, report.State);
    }

    private string Why(string slot) => _book.Report().Single(r => r.Slot == slot).Why;

    private (string, bool)[] Rows() => [.. _book.Report().Select(r => (r.Slot, r.SafeToRevoke))];

    private void Refuse(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _book.Rejected("sendapi", _key, _other);
        }
    }

    private Credential Credential(ISecretSource source)
    {
        var options = new CredentialOptions(source, [], 0, "Authorization", "Bearer {secret}", SecretFormat.Any);
        return new(options, new WatchedSecret("test", source, SecretFormat.Any, new SecretMetrics(_metrics), _time), _book, "sendapi", _time);
    }

    private sealed class Slots : ISecretSource
    {
        public string? Current { get; set; }

        public string? Next { get; set; }

        public string Place => "test";

        public IReadOnlyList<SecretReading> Read() =>
        [
            new(SecretSlot.Current, Current is null ? SecretState.Missing : SecretState.Ok, Current),
            .. Next is null ? Array.Empty<SecretReading>() : [new(SecretSlot.Next, SecretState.Ok, Next)],
        ];
    }

    private sealed class LinesLogger : ILogger<CredentialUsageTracker>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add($"{logLevel} {formatter(state, exception)}");
    }
}
