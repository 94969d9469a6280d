using System.Net;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Egress;

// Where the key may travel: over TLS that is verified, and nowhere a redirect points to.
public class UpstreamRoadTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Send_Redirect_IsPassedOnAndTheOtherHostSeesNothing(int status)
    {
        await using var other = await Destination.StartAsync(Token);
        await using var vendor = await Destination.StartAsync(Token, answer: (_, context) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = new Uri(other.Address, "/v1/sms/send").ToString();
            return Task.CompletedTask;
        });
        await using var app = await AppAsync(vendor.Address, "");

        using var answer = await app.SendAsync();

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Single(vendor.Requests);
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task Send_VendorsAuthority_IsTrusted()
    {
        await using var vendor = await TlsVendorAsync();
        await using var app = await AppAsync(vendor.HttpsAddress!, "tls: { caFile: ca.pem }", vendor.AuthorityPem);

        using var answer = await app.SendAsync();

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    [Fact]
    public async Task Send_UnknownAuthority_IsRefusedAndNothingWasSent()
    {
        await using var vendor = await TlsVendorAsync();
        await using var app = await AppAsync(vendor.HttpsAddress!, "");

        using var answer = await app.SendAsync();

        await answer.AssertProblemAsync(HttpStatusCode.BadGateway, "upstream_tls_failed", "no");
        Assert.Equal(0, vendor.Requests.Arrived);
    }

    [Fact]
    public async Task Send_CertificateForAnotherName_IsRefusedAndNothingWasSent()
    {
        using var authority = new TestAuthority();
        using var certificate = authority.Sign("other.example");
        await using var vendor = await Destination.StartTlsAsync(certificate, Token);
        await using var app = await AppAsync(vendor.Address, "tls: { caFile: ca.pem }", authority.Pem);

        using var answer = await app.SendAsync();

        await answer.AssertProblemAsync(HttpStatusCode.BadGateway, "upstream_tls_failed", "no");
        Assert.Empty(vendor.Requests);
    }

    private static Task<SandboxServer> TlsVendorAsync() => SandboxServer.StartAsync(
        new SandboxOptions { Https = new IPEndPoint(IPAddress.Loopback, 0), Keys = [EgressStage.Key] }, TimeProvider.System, Token);

    private static Task<EgressApp> AppAsync(Uri vendor, string upstream, string? authority = null) => EgressApp.StartAsync(
        new UriBuilder(vendor) { Host = vendor.Scheme == Uri.UriSchemeHttps ? "localhost" : vendor.Host }.Uri, upstream,
        folder => _ = authority is null ? folder : folder.Write("ca.pem", authority));
}

/// <summary>The real proxy before any vendor, and an application's client.</summary>
internal sealed class EgressApp : IAsyncDisposable
{
    private EgressApp(ProxyFolder folder, ProxyProcess proxy)
    {
        (Folder, Proxy) = (folder, proxy);
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = proxy.Address("egress") };
    }

    public ProxyFolder Folder { get; }

    public ProxyProcess Proxy { get; }

    public HttpClient Client { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<EgressApp> StartAsync(Uri vendor, string upstream = "", Action<ProxyFolder>? prepare = null, string credential = "file: key", string more = "")
    {
        var folder = new ProxyFolder().Configure(EgressStage.Config(vendor, upstream, more, credential)).Write("key", EgressStage.Key);
        prepare?.Invoke(folder);
        return new EgressApp(folder, await ProxyProcess.StartAsync(folder, Token));
    }

    public async Task<HttpResponseMessage> SendAsync()
    {
        using var content = new StringContent(EgressStage.Sms, System.Text.Encoding.UTF8, "application/json");
        return await Client.PostAsync(new Uri("/v1/sms/send", UriKind.Relative), content, Token);
    }

    public async Task<string> MetricsAsync()
    {
        using var client = new HttpClient();
        return await client.GetStringAsync(new Uri(Proxy.Address("metrics"), "/metrics"), Token);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Proxy.DisposeAsync();
        Folder.Dispose();
    }
}
