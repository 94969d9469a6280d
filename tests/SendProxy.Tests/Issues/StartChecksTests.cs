using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.Cli;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Sqlite;
using SendProxy.Tests.Configuration;

namespace SendProxy.Tests.Issues;

// `check` looks at what would stop the start, and does not say "good" of what serving refuses.
public sealed class StartChecksTests : IDisposable
{
    private const string Good = "version: 1\nlisten: { egress: ['127.0.0.1:0'], webhooks: ['127.0.0.1:0'], metrics: ['127.0.0.1:0'] }\n" + SettingsFile.Upstreams + "\n";
    private const string Webhooks = "webhooks:\n  sources: { sendapi: { preset: sendapi, secrets: [{ file: hook }] } }\n";

    private readonly SettingsFile _file = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("journal: { path: j.db, minimum: memory, allowEphemeral: true, sealKeys: [{ file: key }] }", "journal.sealKeys[0].file", "is no AES-256 key")]
    [InlineData("journal: { path: j.db, minimum: memory, allowEphemeral: true, sealKeys: [{ file: none }] }", "journal.sealKeys[0].file", "is not there")]
    [InlineData("journal: { path: ., minimum: memory, allowEphemeral: true }", "journal.path", "is a directory; name the file in it")]
    [InlineData("journal: { path: /dev/shm/j.db }", "journal.path", "is on a file system that may not keep it")]
    [InlineData("journal: { path: /dev/shm/j.db, allowEphemeral: true }", "journal.minimum", "keeps memory, and journal.minimum is everysec")]
    [InlineData("journal: { path: key/x/j.db, minimum: memory, allowEphemeral: true }", "journal.path", "/key is a file, and the journal's directory cannot be made in it")]
    public void Journal_ThatServingWouldRefuse_StopsTheStart(string journal, string setting, string expected)
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "There is no tmpfs here.");
        var settings = _file.Load(Good + Webhooks + journal + "\n");

        var found = Assert.Single(StartChecks.Of(settings, isRunning: false), f => f.StopsStart);

        Assert.Equal(setting, found.Setting);
        Assert.Contains(expected, found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SealKey_ThatOpensNothing_StopsTheStartAsServingDoes()
    {
        var options = new JournalOptions { Path = Path.Combine(_file.Folder, "j.db"), AllowEphemeral = true, Minimum = Durability.Memory };
        await StoreOneAsync(options);
        File.Move(options.Path + ".key", Path.Combine(_file.Folder, "right"));
        File.WriteAllText(Path.Combine(_file.Folder, "wrong"), Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        var before = Directory.GetFiles(_file.Folder).Order().ToArray();

        string? Found(string keys) => StartChecks.Of(_file.Load($"{Good}{Webhooks}journal: {{ path: j.db, minimum: memory, allowEphemeral: true{keys} }}\n"), isRunning: false)
            .Where(f => f.StopsStart).Select(f => $"{f.Setting}: {f.Message}").SingleOrDefault();

        Assert.StartsWith("journal.sealKeys: The seal key ", Found(", sealKeys: [{ file: wrong }]"), StringComparison.Ordinal);
        Assert.Contains("opens none of the 1 item in the journal", Found(", sealKeys: [{ file: wrong }]"), StringComparison.Ordinal);
        Assert.Contains("is not there, but the journal has items sealed under it", Found(""), StringComparison.Ordinal);
        Assert.Null(Found(", sealKeys: [{ file: wrong }, { file: right }]"));
        Assert.Equal(before.Append(Path.Combine(_file.Folder, "proxy.yaml")).Order(), Directory.GetFiles(_file.Folder).Order());
    }

    [Fact]
    public void Addresses_ThatCannotBeHad_AreFoundUnlessTheProxyRuns()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var settings = _file.Load(Good.Replace("egress: ['127.0.0.1:0']", $"egress: ['{other.LocalEndpoint}', 'unix:/nonexistent/x.sock']", StringComparison.Ordinal)
            .Replace("metrics: ['127.0.0.1:0']", "metrics: ['192.0.2.1:4752']", StringComparison.Ordinal));

        var found = StartChecks.Of(settings, isRunning: false).ToArray();

        Assert.Equal(
            [("listen.egress", false), ("listen.egress", true), ("listen.metrics", true)], found.Select(f => (f.Setting, f.StopsStart)));
        Assert.Contains("is in use", found[0].Message, StringComparison.Ordinal);
        Assert.Contains("the directory /nonexistent of unix:", found[1].Message, StringComparison.Ordinal);
        Assert.Contains("is no address of this machine", found[2].Message, StringComparison.Ordinal);
        Assert.Empty(StartChecks.Of(settings, isRunning: true));
    }

    [Fact]
    public void Report_ErrorsAndWarnings_HaveTheirPlaces()
    {
        var settings = _file.Load(Good.Replace("credential: {", "tls: { caFile: key }, credential: {", StringComparison.Ordinal) + Webhooks + "journal:\n  path: .\n");
        var path = Path.Combine(_file.Folder, "proxy.yaml");

        var report = CheckReport.Of(settings, path, StartChecks.Of(settings, isRunning: false));

        Assert.False(report.Good);
        Assert.Contains(report.Errors, e => (e.Line, e.Column, e.Path) == (7, 3, "journal.path"));
        Assert.Contains(report.Warnings, w => w.StartsWith($"{path}:5:", StringComparison.Ordinal) && w.Contains("webhooks.sources.sendapi.secrets[0]: file ", StringComparison.Ordinal));
        Assert.Contains(report.Warnings, w => w.StartsWith($"{path}:3:", StringComparison.Ordinal) && w.Contains("upstreams.sendapi.tls: caFile has no certificate", StringComparison.Ordinal));
    }

    public void Dispose() => _file.Dispose();

    private static async Task StoreOneAsync(JournalOptions options)
    {
        var metrics = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());
        await using var journal = SqliteJournal.Open(options.ToSqlite(), new JournalMetrics(metrics), TimeProvider.System);
        await using var queue = await SqliteMessageQueue.OpenAsync(options, journal, metrics, TimeProvider.System, NullLogger.Instance, Cancel);
        await queue.EnqueueAsync([new NewItem { Queue = EventEnvelope.Events, Route = "sendapi", Body = new byte[2], Metadata = new byte[2] }], Cancel);
    }
}
