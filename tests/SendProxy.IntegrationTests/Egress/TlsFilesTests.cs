using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace SendProxy.IntegrationTests.Egress;

public class TlsFilesTests
{
    private const string Settings = "tls: { caFile: ca.pem, clientCertificate: client.pem, clientKey: client.key }, connections: { lifetime: 1s, idle: 1s }";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ClientCertificate_Rotated_IsUsedByNewConnectionsAndABadPairIsNot()
    {
        using var authority = new TestAuthority();
        using var server = authority.Sign("localhost");
        using var first = authority.Sign("first.example");
        using var second = authority.Sign("second.example");
        var shown = new ConcurrentQueue<string>();
        await using var vendor = await Destination.StartTlsAsync(server, Token, https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.AllowAnyClientCertificate();
        }, (_, context) =>
        {
            shown.Enqueue(context.Connection.ClientCertificate!.Subject);
            context.Response.Headers.Connection = "close";
            return Task.CompletedTask;
        });
        await using var app = await EgressApp.StartAsync(
            new UriBuilder(vendor.Address) { Host = "localhost" }.Uri, Settings, f => Write(f.Write("ca.pem", authority.Pem), first, first));

        using var before = await app.SendAsync();
        Write(app.Folder, second, second);
        await app.Proxy.WaitForLinesAsync(2, l => l.Contains("\"event\":\"TlsLoaded\"", StringComparison.Ordinal), Token);
        using var after = await app.SendAsync();
        Write(app.Folder, first, second);
        await app.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"TlsRefused\"", StringComparison.Ordinal), Token);
        using var kept = await app.SendAsync();

        Assert.Equal(HttpStatusCode.OK, kept.StatusCode);
        Assert.Equal(["CN=first.example", "CN=second.example", "CN=second.example"], shown);
        Assert.Contains("sendproxy_tls_reloads_total{upstream=\"sendapi\",outcome=\"refused\"} 1", await app.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxy_Configured_IsAskedToConnectToTheVendorOnlyAndSeesNoKey()
    {
        using var authority = new TestAuthority();
        using var server = authority.Sign("localhost");
        await using var vendor = await Destination.StartTlsAsync(server, Token);
        await using var proxy = new ConnectProxy();
        await using var app = await EgressApp.StartAsync(
            new UriBuilder(vendor.Address) { Host = "localhost" }.Uri, $"tls: {{ caFile: ca.pem }}, connections: {{ proxy: \"{proxy.Address}\" }}", f => f.Write("ca.pem", authority.Pem));

        using var answer = await app.SendAsync();

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Single(vendor.Requests);
        var head = Assert.Single(proxy.Heads);
        Assert.StartsWith($"CONNECT localhost:{vendor.Address.Port} HTTP/1.1", head, StringComparison.Ordinal);
        Assert.DoesNotContain(EgressStage.Key, head, StringComparison.Ordinal);
    }

    private static void Write(ProxyFolder folder, X509Certificate2 certificate, X509Certificate2 key)
    {
        using var ecdsa = key.GetECDsaPrivateKey()!;
        folder.Write("client.pem", certificate.ExportCertificatePem()).Write("client.key", ecdsa.ExportPkcs8PrivateKeyPem());
    }
}
