using System.Globalization;
using SendProxy.IntegrationTests.Egress;
using SendProxy.Sandbox.Server;
using YamlDotNet.RepresentationModel;

namespace SendProxy.IntegrationTests.Campaigns;

// Whatever an operator's hand does to the configuration, the reader answers with a position and a remedy, and the running proxy
// sends on. Short in every run; long by eng/campaign.sh config, which sets the variables.
public sealed class ConfigCampaign : IDisposable
{
    private static readonly int Edits = Variable("SENDPROXY_CAMPAIGN_EDITS", 2000);
    private static readonly int Reloads = Variable("SENDPROXY_CAMPAIGN_RELOADS", 4);

    private readonly ProxyFolder _folder = new ProxyFolder().Write("key", EgressStage.Key);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Edits_OfAGoodFile_AreGoodOrToldWithPositionAndRemedy()
    {
        var (findings, good) = Run(Edits, path => ProxySettings.Load(path, _ => null));

        await ReportAsync(string.Create(CultureInfo.InvariantCulture, $"edits: {Edits} of {ConfigEdits.Count(Good)}, {good} good, {Edits - good - findings.Count} refused, {findings.Count} otherwise"));
        Assert.True(findings.Count == 0, string.Join('\n', findings.Take(20)));
        Assert.InRange(good, 1, Edits - 1);
    }

    [Fact]
    public void Good_Unedited_IsGood()
    {
        _folder.Configure(Good);

        Assert.NotEmpty(ProxySettings.Load(_folder.ConfigPath, _ => null).Routes);
    }

    // The negative control: the parser alone, as it was called before, throws what its callers did not expect.
    [Fact]
    public async Task Edits_ReadByTheParserAlone_AreCaught()
    {
        var (findings, _) = Run(2000, path =>
        {
            try
            {
                new YamlStream().Load(new StringReader(File.ReadAllText(path)));
            }
            catch (YamlDotNet.Core.YamlException)
            {
                // The one type that was expected.
            }

            return null!;
        });

        await ReportAsync($"control: the parser alone throws other exceptions at {findings.Count} of 2000 edits");
        Assert.NotEmpty(findings);
    }

    [Fact]
    public async Task Reload_BadAndGoodFilesUnderLoad_FailsNoSend()
    {
        await using var vendor = await SandboxServer.StartAsync(new SandboxOptions { Keys = [EgressStage.Key] }, TimeProvider.System, Token);
        var good = EgressStage.Config(vendor.HttpAddress!, "retry: { baseDelay: 5ms }");
        _folder.Configure(good);
        await using var proxy = await ProxyProcess.StartAsync(_folder, Token);
        await using var load = OpenLoad.Start(proxy.Address("egress"), 100);
        for (var i = 1; i <= Reloads; i++)
        {
            _folder.Configure(good + "limits: { plan: { rate: 100/s }\n# " + i);
            await proxy.WaitForLinesAsync(i, Event("Refused"), Token);
            _folder.Configure(good + $"process: {{ maxInFlight: {1000 + i} }}\n");
            await proxy.WaitForLinesAsync(i, Event("Applied"), Token);
        }

        await load.StopAsync();

        await ReportAsync(string.Create(CultureInfo.InvariantCulture, $"reload: {Reloads} good and {Reloads} bad changes under {load.Sent} sends, {load.Failures.Count} failed"));
        Assert.Empty(load.Failures);
        Assert.True(load.Sent > 0);
        Assert.Equal(0, await proxy.TerminateAsync(Token));
    }

    [Fact]
    public async Task Reload_FileThatNeverSettles_IsAppliedAllTheSame()
    {
        await using var vendor = await SandboxServer.StartAsync(new SandboxOptions { Keys = [EgressStage.Key] }, TimeProvider.System, Token);
        var good = EgressStage.Config(vendor.HttpAddress!, "retry: { baseDelay: 5ms }");
        _folder.Configure(good);
        await using var proxy = await ProxyProcess.StartAsync(_folder, Token);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var writing = RewriteAsync(good, enough.Token);

        var told = await proxy.WaitForLineAsync(Event("Applied"), Token);
        await proxy.WaitForLineAsync(Event("Changing"), Token);

        await enough.CancelAsync();
        await writing;
        await ReportAsync("reload: a file that is rewritten every 0.7 s was applied: " + told[..Math.Min(120, told.Length)]);
        Assert.Equal(0, await proxy.TerminateAsync(Token));
    }

    public void Dispose() => _folder.Dispose();

    private static Func<string, bool> Event(string name) => l => l.Contains($"\"event\":\"{name}\"", StringComparison.Ordinal);

    private (List<string> Findings, int Good) Run(int edits, Func<string, ProxySettings> load)
    {
        var findings = new List<string>();
        var good = 0;
        for (var i = 0; i < Math.Min(edits, ConfigEdits.Count(Good)); i++)
        {
            var text = ConfigEdits.Edit(Good, i);
            _folder.Configure(text);
            var fits = false;
            var finding = ConfigEdits.Judge(_folder.ConfigPath, EgressStage.Key, path =>
            {
                var settings = load(path);
                fits = true;
                return settings;
            });
            good += fits ? 1 : 0;
            if (finding is not null)
            {
                findings.Add($"edit {i}: {finding}");
            }
        }

        return (findings, good);
    }

    private async Task RewriteAsync(string good, CancellationToken enough)
    {
        for (var i = 1; !enough.IsCancellationRequested; i++)
        {
            _folder.Configure(good + $"process: {{ maxInFlight: {1000 + i} }}\n");
            await Task.Delay(TimeSpan.FromMilliseconds(700), TimeProvider.System, enough).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private static async Task ReportAsync(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        if (Environment.GetEnvironmentVariable("SENDPROXY_CAMPAIGN_REPORT") is { Length: > 0 } report)
        {
            await File.AppendAllTextAsync(report, line + "\n", Token);
        }
    }

    private static int Variable(string name, int fallback) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : fallback;

    // One of each form that a file can have: block and flow, both quotes, a folded text, an anchor, comments, substitutions.
    private const string Good = """
        # yaml-language-server: $schema=proxy.schema.json
        version: 1
        roles: [egress, webhooks, worker]
        listen: { egress: ["127.0.0.1:0"], webhooks: ['127.0.0.1:0'], metrics: ["127.0.0.1:0"] }
        guard:
          allowRemote: false
        process: { maxInFlight: 512 }
        upstreams:
          sendapi:
            preset: sendapi
            address: "https://${HOST:-api.sendapi.example}"   # where it is
            credential: { file: key, hosts: [api.sendapi.example], allowTestKey: true }
            timeouts: { attempt: 10s, total: 30s }
            retry:
              attempts: 3
              baseDelay: 200ms
          slack:
            preset: slack
            address: https://slack.example
            credential: { file: key }
        limits:
          plan: &plan { rate: 100/s, counts: bucket, burst: 20, maxWait: 2s }
          other: *plan
        routes:
          - name: sms
            upstream: sendapi
            match: { methods: [POST], path: /v1/sms/send }
            limits: [plan]
            recipient: /to
          - { name: rest, upstream: slack, match: { prefix: /api/ } }
        webhooks:
          sources:
            sendapi: { preset: sendapi, secrets: [{ file: key }] }
          subscribers:
            app: { url: "http://127.0.0.1:3000/webhooks", events: [ "message.*" ] }
        journal: { path: ../data/sendproxy.db }
        telemetry:
          log:
            level: >-
              info
            successSample: 100%
        shutdown: { drain: 2s }

        """;
}
