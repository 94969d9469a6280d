using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Egress;

// HTTP/2 to the vendor. What its frames say of a request is what is told of it, and nobody repeats one behind the table.
public sealed class Http2Tests : IDisposable
{
    private const string Raw = "routes: [{ name: raw, upstream: sendapi, match: { methods: [GET, POST], prefix: / }, maxBody: 64KiB }]";
    private const string Line = "connections: { http2: true }, tls: { caFile: ca.pem }";

    private readonly TestAuthority _authority = new();
    private readonly X509Certificate2 _certificate;

    public Http2Tests() => _certificate = _authority.Sign("localhost");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _certificate.Dispose();
        _authority.Dispose();
    }

    // Even where the vendor does not deduplicate: it says itself that it did nothing.
    [Theory]
    [InlineData("Refuse", "POST")]
    [InlineData("GoAwayBelow", "POST")]
    [InlineData("Refuse", "GET")]
    [InlineData("GoAwayBelow", "GET")]
    public async Task Request_DeclaredUnprocessed_IsAnAttemptOfItsOwnAndRepeated(string reaction, string method)
    {
        await using var vendor = new H2Vendor(_certificate, n => n < 3 ? Enum.Parse<H2Reaction>(reaction) : H2Reaction.Answer);
        await using var app = await AppAsync(vendor.Address, "idempotency: { carrier: none }, retry: { baseDelay: 1ms }");

        using var answer = await SendAsync(app, method);

        Assert.Equal((HttpStatusCode.OK, "3", 3), (answer.StatusCode, answer.Header("SendProxy-Attempts"), vendor.Heads));
        Assert.Contains("sendproxy_retries_total{upstream=\"sendapi\",reason=\"not_sent\"} 2", await app.MetricsAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Refuse")]
    [InlineData("GoAwayBelow")]
    public async Task Request_AlwaysDeclaredUnprocessed_WasNotSent(string reaction)
    {
        await using var vendor = new H2Vendor(_certificate, _ => Enum.Parse<H2Reaction>(reaction));
        await using var app = await AppAsync(vendor.Address, "retry: { attempts: 2, baseDelay: 1ms }");

        using var answer = await SendAsync(app, "POST");

        await answer.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "upstream_refused", "no");
        Assert.Equal(("2", 2), (answer.Header("SendProxy-Attempts"), vendor.Heads));
    }

    [Theory]
    [InlineData("ResetInternal")]
    [InlineData("GoAwayCovering")]
    public async Task Request_WithUnknownEnd_IsNotRepeatedWithoutAKey(string reaction)
    {
        await using var vendor = new H2Vendor(_certificate, _ => Enum.Parse<H2Reaction>(reaction));
        await using var app = await AppAsync(vendor.Address, "idempotency: { carrier: none }, retry: { baseDelay: 1ms }");

        using var answer = await SendAsync(app, "POST");

        await answer.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "upstream_broken", "maybe");
        Assert.Equal(1, vendor.Heads);
    }

    [Theory]
    [InlineData("ResetInternal")]
    [InlineData("GoAwayCovering")]
    public async Task Request_WithUnknownEnd_IsRepeatedUnderItsKey(string reaction)
    {
        await using var vendor = new H2Vendor(_certificate, n => n == 1 ? Enum.Parse<H2Reaction>(reaction) : H2Reaction.Answer);
        await using var app = await AppAsync(vendor.Address, "retry: { baseDelay: 1ms }");

        using var answer = await SendAsync(app, "POST");

        Assert.Equal((HttpStatusCode.OK, "2", 2), (answer.StatusCode, answer.Header("SendProxy-Attempts"), vendor.Heads));
        Assert.Contains("sendproxy_retries_total{upstream=\"sendapi\",reason=\"broke\"} 1", await app.MetricsAsync(), StringComparison.Ordinal);
    }

    // A streamed body cannot go out again, whatever the handler would like: its one attempt ends, and nothing was done.
    [Theory]
    [InlineData("Refuse")]
    [InlineData("GoAwayBelow")]
    public async Task StreamedBody_DeclaredUnprocessed_EndsAndWasNotSent(string reaction)
    {
        await using var vendor = new H2Vendor(_certificate, _ => Enum.Parse<H2Reaction>(reaction), atFirstData: true);
        await using var app = await AppAsync(vendor.Address, "retry: { baseDelay: 1ms }");

        using var answer = await SendAsync(app, "POST", new string('a', 1 << 20));

        await answer.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "upstream_refused", "no");
        Assert.Equal(("1", 1), (answer.Header("SendProxy-Attempts"), vendor.Heads));
    }

    [Fact]
    public async Task Body_StreamedOverHttp2_ArrivesWholeAndTheTrailersComeBack()
    {
        var protocol = "";
        await using var vendor = await Destination.StartTlsAsync(_certificate, Token, answer: async (_, context) =>
        {
            protocol = context.Request.Protocol;
            context.Response.DeclareTrailer("X-Checksum");
            await context.Response.WriteAsync("{}", Token);
            context.Response.AppendTrailer("X-Checksum", "42");
        });
        await using var app = await AppAsync(vendor.Address, "");

        using var answer = await SendAsync(app, "POST", new string('a', 3 << 20));

        Assert.Equal(("{}", "HTTP/2", 3 << 20), (await answer.Content.ReadAsStringAsync(Token), protocol, Assert.Single(vendor.Requests).Body.Length));
        Assert.Equal("42", Assert.Single(answer.TrailingHeaders.GetValues("X-Checksum")));
    }

    // The whole way, with the faults that end a stream or a connection in the middle.
    [Theory]
    [InlineData(null)]
    [InlineData("accept-drop;times=1")]
    [InlineData("drop-before;times=1")]
    [InlineData("partial-body;times=1")]
    public async Task Send_SandboxOverHttp2_HasOneEffect(string? fault)
    {
        await using var vendor = await SandboxServer.StartAsync(
            new SandboxOptions { Https = new IPEndPoint(IPAddress.Loopback, 0), Keys = [EgressStage.Key] }, TimeProvider.System, Token);
        await using var app = await EgressApp.StartAsync(
            new UriBuilder(vendor.HttpsAddress!) { Host = "localhost" }.Uri, $"{Line}, retry: {{ baseDelay: 1ms }}", f => f.Write("ca.pem", vendor.AuthorityPem!));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sms/send") { Content = new StringContent(EgressStage.Sms, null, "application/json") };
        if (fault is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Sandbox-Fault", fault);
        }

        using var answer = await app.Client.SendAsync(request, Token);

        Assert.Equal((HttpStatusCode.Accepted, fault is null ? "1" : "2"), (answer.StatusCode, answer.Header("SendProxy-Attempts")));
        Assert.Single(vendor.Ledger.Read());
        Assert.All(vendor.Requests.Read(), r => Assert.Equal("HTTP/2", r.Protocol));
    }

    private Task<EgressApp> AppAsync(Uri vendor, string upstream) => EgressApp.StartAsync(
        new UriBuilder(vendor) { Host = "localhost" }.Uri, upstream.Length > 0 ? $"{Line}, {upstream}" : Line, f => f.Write("ca.pem", _authority.Pem), more: Raw);

    private static async Task<HttpResponseMessage> SendAsync(EgressApp app, string method, string body = "{}")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/x") { Content = method == "GET" ? null : new StringContent(body) };
        return await app.Client.SendAsync(request, Token);
    }
}
