using Microsoft.AspNetCore.Http;
using SendProxy.Egress.Admission;
using SendProxy.Errors;
using SendProxy.Secrets;

namespace SendProxy.Tests.Egress.Admission;

public sealed class GuardTests : IDisposable
{
    private const string Token = "a-token-of-callers";

    private static readonly GuardOptions Options = new(
        AllowRemote: false, Hosts: new HashSet<string>(["localhost", "127.0.0.1", "[::1]"], StringComparer.OrdinalIgnoreCase), RequireHeader: null, CallerToken: null,
        AllowBrowsers: false, AllowSecrets: false, SecretPatterns.Head);

    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-guard-").FullName;

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:4750")]
    [InlineData("127.0.0.1:1")]
    [InlineData("[::1]:4750")]
    public void Check_HostOfTheList_Passes(string host) => Assert.Null(Code(Guard(), AdmissionRequest.Post(("Host", host))));

    [Theory]
    [InlineData("evil.example")]
    [InlineData("localhost.evil.example:4750")]
    [InlineData("localhost.")]
    [InlineData("127.0.0.2")]
    [InlineData("")]
    public void Check_OtherHost_IsRefused(string host) => Assert.Equal("host_not_allowed", Code(Guard(), AdmissionRequest.Post(("Host", host))));

    [Fact]
    public void Check_TwoHosts_IsRefused() =>
        Assert.Equal("host_not_allowed", Code(Guard(), AdmissionRequest.Post(("Host", "localhost"), ("Host", "localhost"))));

    [Theory]
    [InlineData("POST", "Upgrade: websocket", "protocol_unsupported")]
    [InlineData("GET", "Upgrade: h2c, WebSocket\nConnection: Upgrade", "protocol_unsupported")]
    [InlineData("CONNECT", "", "protocol_unsupported")]
    [InlineData("POST", "Content-Type: application/grpc+proto", "protocol_unsupported")]
    [InlineData("POST", "Upgrade: h2c\nConnection: Upgrade, HTTP2-Settings\nHTTP2-Settings: AAMAAABkAAQ", null)]
    [InlineData("POST", "Upgrade: TLS/1.2\nConnection: Upgrade", null)]
    [InlineData("POST", "Connection: Upgrade", null)]
    [InlineData("POST", "TE: trailers\nConnection: TE", null)]
    [InlineData("POST", "X-A: \u0001", "request_malformed")]
    [InlineData("POST", "Origin: http://localhost", "browser_refused")]
    public void Check_Head_IsJudged(string method, string lines, string? code) =>
        Assert.Equal(code, Code(Guard(), AdmissionRequest.Of(method, "/v1/sms/send", AdmissionRequest.Headers(lines))));

    [Theory]
    [InlineData("/v1/../admin", "request_malformed")]
    [InlineData("/v1/a%2Fb", null)]
    public void Check_Target_IsJudged(string target, string? code) => Assert.Equal(code, Code(Guard(), AdmissionRequest.Of("POST", target)));

    [Fact]
    public void Check_LongTarget_IsRefusedByTheSettingsName()
    {
        var refused = Guard().Check(AdmissionRequest.Of("POST", "/" + new string('a', 4096)));

        Assert.Contains("listen.maxTarget (4096)", refused!.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "caller_refused")]
    [InlineData("X-Shop: no", "caller_refused")]
    [InlineData("X-Shop: yes\nX-Shop: yes", "caller_refused")]
    [InlineData("x-shop: yes", null)]
    public void Check_RequiredHeader_MustBeThereAsItIs(string lines, string? code) =>
        Assert.Equal(code, Code(Guard(o => o with { RequireHeader = ("X-Shop", "yes") }), AdmissionRequest.Post(AdmissionRequest.Headers(lines))));

    [Theory]
    [InlineData("", "caller_refused")]
    [InlineData("SendProxy-Token: another", "caller_refused")]
    [InlineData("Authorization: Basic " + Token, "caller_refused")]
    [InlineData("SendProxy-Token: another\nAuthorization: Bearer " + Token, "caller_refused")]
    [InlineData("SendProxy-Token: " + Token, null)]
    [InlineData("Authorization: Bearer " + Token, null)]
    [InlineData("Origin: http://a.example", "browser_refused")]
    [InlineData("Origin: http://a.example\nSendProxy-Token: another", "browser_refused")]
    [InlineData("Origin: http://a.example\nSendProxy-Token: " + Token, null)]
    public void Check_CallerToken_IsAskedForAndSettlesWhoItIs(string lines, string? code) =>
        Assert.Equal(code, Code(Guard(token: Watch(Token)), AdmissionRequest.Post(AdmissionRequest.Headers(lines))));

    [Fact]
    public void Check_CallerTokenThatIsNotThereYet_LetsNobodyIn() =>
        Assert.Equal("caller_refused", Code(Guard(token: Watch(null)), AdmissionRequest.Post(("SendProxy-Token", ""))));

    [Theory]
    [InlineData("Origin: http://a.example", null)]
    [InlineData("Origin: http://a.example\nHost: rebound.example", "host_not_allowed")]
    public void Check_BrowsersAllowed_AreTakenUnderAKnownHostOnly(string lines, string? code) =>
        Assert.Equal(code, Code(Guard(o => o with { AllowBrowsers = true }), AdmissionRequest.Post(AdmissionRequest.Headers(lines))));

    [Fact]
    public void Check_OtherHost_IsToldWhatItSentAndWhatToWrite()
    {
        var refused = Guard().Check(AdmissionRequest.Post(("Host", "sendproxy:4750")));

        Assert.Contains("\"sendproxy\", which is not in guard.hosts", refused!.Detail, StringComparison.Ordinal);
        Assert.Equal(Sent.No, refused.Sent);
    }

    [Fact]
    public void Warnings_LocalNames_AreNone() => Assert.Empty(Options.Warnings());

    [Fact]
    public void Warnings_WhatAPageCouldUse_AreToldUnlessATokenIsAskedFor()
    {
        var open = Options with { Hosts = new HashSet<string>(["proxy.internal"]), AllowBrowsers = true };

        Assert.Collection(open.Warnings(), w => Assert.StartsWith("guard.browsers: allow", w, StringComparison.Ordinal), w => Assert.Contains("\"proxy.internal\"", w, StringComparison.Ordinal));
        Assert.Empty((open with { CallerToken = new SecretFile("token") }).Warnings());
        Assert.Single((open with { RequireHeader = ("X-Shop", "yes") }).Warnings());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string? Code(Guard guard, HttpContext context) =>
        guard.Check(context) is { } refusal ? ProxyErrorTable.Describe(refusal.Error).Code : null;

    private static Guard Guard(Func<GuardOptions, GuardOptions>? change = null, WatchedSecret? token = null)
    {
        return new Guard(change?.Invoke(Options) ?? Options, token, 4096);
    }

    private WatchedSecret Watch(string? token)
    {
        var path = Path.Combine(_folder, "token");
        if (token is not null)
        {
            File.WriteAllText(path, token);
        }

        var metrics = new SecretMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
        return new WatchedSecret("guard.callerToken", new SecretFile(path), SecretFormat.Any, metrics, TimeProvider.System);
    }
}
