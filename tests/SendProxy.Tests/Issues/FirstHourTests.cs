using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Cli;
using SendProxy.Configuration;
using SendProxy.Receiving;
using SendProxy.Secrets;
using SendProxy.Tests.Configuration;
using SendProxy.Upstreams.Connections;

namespace SendProxy.Tests.Issues;

// What a new user does wrong in the first hour, and what is said to it.
public sealed class FirstHourTests : IDisposable
{
    private const string Good = "version: 1\n" + SettingsFile.Upstreams + "\n";

    private readonly SettingsFile _file = new();

    [Theory]
    [InlineData("whsec_bm90IGEgc2VjcmV0IGF0IGFsbA==", true)]
    [InlineData("whsec_not base64", false)]
    [InlineData("whsec_QUJDREVGR0hJ+", false)]
    [InlineData("", false)]
    public void Check_WebhookSecret_IsJudgedAsServingJudgesIt(string secret, bool usable)
    {
        File.WriteAllText(Path.Combine(_file.Folder, "hook"), secret);
        _file.SetMode("hook", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var settings = _file.Load(Good + "webhooks: { sources: { sendapi: { preset: sendapi, secrets: [{ file: hook }] } } }\n");
        var source = settings.Webhooks.Sources["sendapi"];

        var warnings = Found(settings).Where(w => w.StartsWith("webhooks.sources.sendapi.secrets[0]", StringComparison.Ordinal)).ToArray();
        var served = new WatchedSecret("hook", source.Secrets[0], source.KeyFormat.TextFormat,
            new SecretMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry())), new FakeTimeProvider());

        Assert.Equal(usable, warnings.Length == 0);
        Assert.Equal(usable, served.State == SecretState.Ok);
        Assert.Equal(usable, new KeyRing([served], source.KeyFormat).Keys.Count == 1);
    }

    [Fact]
    public void Check_SubscribersKeyAndVerifyTokenAndRedisPassword_AreLookedAtToo()
    {
        var settings = _file.Load(Good + """
            webhooks:
              sources: { meta: { preset: meta, secrets: [{ file: key }], challenge: { verifyToken: { file: none } } } }
              subscribers: { app: { url: "http://127.0.0.1:3000/", signWith: [{ file: key }] } }
            fleet: { redis: { connection: "redis:6379", password: { file: none } } }
            journal: { sealKeys: [{ file: key }] }
            """);

        var warnings = Found(settings);

        Assert.Contains(warnings, w => w.StartsWith("webhooks.sources.meta.challenge.verifyToken: file ", StringComparison.Ordinal) && w.Contains("is missing", StringComparison.Ordinal));
        Assert.Contains(warnings, w => w.StartsWith("webhooks.subscribers.app.signWith[0]: file ", StringComparison.Ordinal) && w.Contains("is malformed", StringComparison.Ordinal));
        Assert.Contains(warnings, w => w.StartsWith("fleet.redis.password: file ", StringComparison.Ordinal) && w.Contains("is missing", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/etc/sendproxy/key", 0x124, "can be read by every user of this machine (mode 0444): chmod 0400 it")]
    [InlineData("/etc/sendproxy/key", 0x1B6, "can be changed by other users (mode 0666): chmod 0400 it")]
    [InlineData("/run/secrets/sendapi/key", 0x1B6, "can be changed by other users (mode 0666)")]
    [InlineData("/run/secrets/sendapi/key", 0x124, null)]
    [InlineData("/etc/sendproxy/key", 0x120, null)]
    [InlineData("/etc/sendproxy/key", 0x180, null)]
    public void Mode_OfASecretsFile_IsWarnedOfWhereOthersReach(string path, int mode, string? expected)
    {
        var exposure = SecretFileMode.Judge(path, (UnixFileMode)mode);

        Assert.Equal(expected is null, exposure is null);
        Assert.Contains(expected ?? "", exposure ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void Check_KeyThatOthersMayChange_IsWarnedOf()
    {
        var key = Path.Combine(_file.Folder, "key");
        _file.SetMode("key", (UnixFileMode)0x1B6);

        var warnings = Found(_file.Load(Good));

        Assert.Contains($"upstreams.sendapi.credential: {key} can be changed by other users (mode 0666): chmod 0400 it", warnings);
    }

    [Fact]
    public void Check_Json_HasTheNamesThatScriptsRead()
    {
        var report = new CheckReport(false, [new("a.yaml", 1, 2, "b", "c")], ["d"]);

        var json = System.Text.Json.JsonSerializer.Serialize(report, CliJson.Default.CheckReport);

        Assert.Equal("""{"good":false,"errors":[{"file":"a.yaml","line":1,"column":2,"path":"b","message":"c"}],"warnings":["d"]}""",
            string.Concat(json.Split('\n').Select(l => l.Trim())).Replace("\": ", "\":", StringComparison.Ordinal));
    }

    [Fact]
    public void Refusals_OfOtherListeners_SayWhichPortIsMeant()
    {
        var unknown = Rejection.UnknownSource.ToRefusal(503, null);

        Assert.Contains("applications send to the port of listen.egress.", unknown.Detail, StringComparison.Ordinal);
        var table = new SendProxy.Egress.Routing.RouteTable([]);
        Assert.Contains("the port of listen.webhooks.", table.Find("POST", "/webhooks/sendapi").Refusal!.Detail, StringComparison.Ordinal);
        Assert.Contains("the port of listen.metrics.", table.Find("GET", "/readyz").Refusal!.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("webhooks: { sources: { sendapi: { preset: sendapi, secrets: [whsec_bm90IGEgc2VjcmV0IGF0IGFsbA==] } } }", "webhooks.sources.sendapi.secrets[0]")]
    [InlineData("webhooks: { sources: { sendapi: { preset: sendapi, secrets: whsec_bm90IGEgc2VjcmV0IGF0IGFsbA== } } }", "webhooks.sources.sendapi.secrets")]
    [InlineData("webhooks: { subscribers: { app: { url: 'https://app.example/', signWith: [whsec_bm90IGEgc2VjcmV0IGF0IGFsbA==] } } }", "webhooks.subscribers.app.signWith[0]")]
    [InlineData("fleet: { redis: { connection: 'redis:6379', password: sk_live_0123456789abcdef } }\njournal: { sealKeys: [{ file: key }] }", "fleet.redis.password")]
    public void Secret_InPlaceOfItsFile_IsOneErrorThatSaysSo(string yaml, string setting)
    {
        var error = Assert.Single(_file.Errors(Good + yaml + "\n"));

        Assert.Contains($": {setting}: looks like a secret itself (hidden): write it into a file of its own", error, StringComparison.Ordinal);
        Assert.DoesNotContain("whsec_", error, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Directory_InPlaceOfAFile_IsNamedAsWhatItIs()
    {
        Directory.CreateDirectory(Path.Combine(_file.Folder, "secrets"));
        string Found1(string credential) => Assert.Single(Found(_file.Load(Good.Replace("file: key", credential, StringComparison.Ordinal))));

        Assert.Contains("/secrets is a directory: name the file in it", Found1("file: secrets"), StringComparison.Ordinal);
        Assert.Contains("/key is a file and no directory: name it by file:", Found1("directory: key"), StringComparison.Ordinal);
        var refused = Assert.Throws<SettingsException>(() => ProxySettings.Load(_file.Folder, _ => null));
        Assert.Contains($"is a directory; name the file in it, as --config {Path.Combine(_file.Folder, "proxy.yaml")}", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SocketError.HostNotFound, "DNS knows no such name")]
    [InlineData(SocketError.TryAgain, "DNS did not answer")]
    [InlineData(SocketError.ConnectionRefused, "nothing listens there")]
    [InlineData(SocketError.NetworkUnreachable, "no network leads there")]
    [InlineData(SocketError.AccessDenied, null)]
    public void NoConnection_IsToldByItsCause(SocketError error, string? expected) =>
        Assert.Equal(expected, ConnectFailure.Told(new HttpRequestException("x", new SocketException((int)error))));

    [Fact]
    public void NoConnectionInTime_NamesTheSetting() =>
        Assert.Equal("nothing answered within timeouts.connect", ConnectFailure.Told(new HttpRequestException("x", new TaskCanceledException("y", new TimeoutException()))));

    [Fact]
    public void Warnings_UpstreamWithoutARoute_AreTold()
    {
        var settings = _file.Load(Good.Replace("preset: sendapi, ", "", StringComparison.Ordinal));

        Assert.Contains(SettingsWarnings.Of(settings), w => w.StartsWith("upstreams.sendapi has no route that leads to it", StringComparison.Ordinal));
        Assert.DoesNotContain(SettingsWarnings.Of(_file.Load(Good)), w => w.Contains("no route", StringComparison.Ordinal));
    }

    public void Dispose() => _file.Dispose();

    private static string[] Found(ProxySettings settings) => [.. StartChecks.Of(settings, isRunning: true).Select(f => $"{f.Setting}: {f.Message}")];
}
