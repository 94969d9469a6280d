using System.Security.Cryptography.X509Certificates;
using SendProxy.Sandbox.Server;

namespace SendProxy.Tests.Sandbox;

public class ControlTests
{
    private const string WhatsApp = """{"session_id":"wa_new","to":"+491701234567","type":"text","text":"x"}""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Faults_PostedRule_MeetsTheNextRequestsAndIsListed()
    {
        await using var client = await SandboxClient.StartAsync();
        using var posted = await client.ControlAsync(
            HttpMethod.Post, "/sandbox/faults", """{"fault":"unauthorized","count":2,"path":"/v1/sms"}""");
        Assert.Equal(201, (int)posted.StatusCode);

        Assert.Equal(401, await client.StatusAsync());
        var rule = (await client.GetAsync("/sandbox/faults")).GetProperty("rules").EnumerateArray().Single();
        Assert.Equal(1, rule.GetProperty("met").GetInt32());
        Assert.Equal(401, await client.StatusAsync());
        Assert.Equal(202, await client.StatusAsync());
    }

    [Fact]
    public async Task Faults_Deleted_AreNotMet()
    {
        await using var client = await SandboxClient.StartAsync();
        client.Server.Faults.Add("unauthorized", count: null);

        using var deleted = await client.ControlAsync(HttpMethod.Delete, "/sandbox/faults");

        Assert.Equal(202, await client.StatusAsync());
    }

    [Theory]
    [InlineData("POST", "/sandbox/faults", "{")]
    [InlineData("POST", "/sandbox/faults", """{"fault":"none"}""")]
    [InlineData("POST", "/sandbox/faults", """{"fault":"delay","ms":-1}""")]
    [InlineData("POST", "/sandbox/faults", """{"fault":"delay","share":2}""")]
    [InlineData("POST", "/sandbox/faults", """{"fault":"delay","count":0}""")]
    [InlineData("PUT", "/sandbox/keys", """{"keys":"x"}""")]
    [InlineData("PUT", "/sandbox/limits", """{"limits":[{"kind":"fixed"}]}""")]
    [InlineData("PUT", "/sandbox/sessions/wa_main", """{"status":"asleep"}""")]
    [InlineData("PUT", "/sandbox/webhooks/target", """{"url":"ftp://127.0.0.1"}""")]
    [InlineData("PUT", "/sandbox/webhooks/target", """{"url":"http://127.0.0.1","secret":"!"}""")]
    public async Task Control_WrongBody_Answers400WithTheReason(string method, string path, string body)
    {
        await using var client = await SandboxClient.StartAsync();

        using var response = await client.ControlAsync(new HttpMethod(method), path, body);

        Assert.Equal(400, (int)response.StatusCode);
        Assert.NotEmpty((await SandboxClient.JsonAsync(response)).GetProperty("error").GetString()!);
    }

    [Theory]
    [InlineData("PATCH", "/sandbox/faults", 405)]
    [InlineData("GET", "/sandbox/nothing", 404)]
    [InlineData("GET", "/sandboxes", 404)]
    public async Task Control_UnknownAddressOrMethod_IsRefused(string method, string path, int status)
    {
        await using var client = await SandboxClient.StartAsync();

        using var response = await client.ControlAsync(new HttpMethod(method), path);

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task Keys_Replaced_OnlyTheNewOnesAreAccepted()
    {
        await using var client = await SandboxClient.StartAsync();

        using var put = await client.ControlAsync(HttpMethod.Put, "/sandbox/keys", """{"keys":["sk_live_new"]}""");

        Assert.Equal(401, await client.StatusAsync());
        client.Http.DefaultRequestHeaders.Authorization = new("Bearer", "sk_live_new");
        Assert.Equal(202, await client.StatusAsync());
        Assert.DoesNotContain(
            "sk_live_new", await put.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_Replaced_BindFromNowOn()
    {
        await using var client = await SandboxClient.StartAsync();

        using var put = await client.ControlAsync(
            HttpMethod.Put, "/sandbox/limits", """{"limits":[{"kind":"sliding","requests":1,"window_ms":60000}]}""");

        Assert.Equal(202, await client.StatusAsync());
        Assert.Equal(429, await client.StatusAsync());
    }

    [Fact]
    public async Task Sessions_Put_MakesOneAndEmitsItsEvent()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await SandboxClient.StartAsync();
        using var target = await client.ControlAsync(
            HttpMethod.Put, "/sandbox/webhooks/target", $$"""{"url":"{{receiver.Url}}","signature":"none"}""");
        Assert.Equal(404, await client.StatusAsync(WhatsApp, path: "/v1/whatsapp/send"));

        using var put = await client.ControlAsync(
            HttpMethod.Put, "/sandbox/sessions/wa_new", """{"status":"qr_required","emit":true}""");

        Assert.Equal("session.qr_required", (await receiver.NextAsync()).Type);
        Assert.Equal("qr_required", (await client.GetAsync("/v1/sessions/wa_new")).GetProperty("status").GetString());
        Assert.Equal(422, await client.StatusAsync(WhatsApp, path: "/v1/whatsapp/send"));
    }

    [Fact]
    public async Task Events_Posted_AreEmittedThatManyTimes()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var client = await SandboxClient.StartAsync();
        client.Server.Webhooks.Target = new(receiver.Url, SendProxy.Sandbox.Webhooks.WebhookTarget.DefaultSecret);

        using var posted = await client.ControlAsync(
            HttpMethod.Post, "/sandbox/events", """{"type":"custom.thing","count":20,"data":{"a":1}}""");
        var received = await receiver.TakeAsync(20);
        await client.Server.Webhooks.ReachAsync(20, Token);

        Assert.Equal(20, (await SandboxClient.JsonAsync(posted)).GetProperty("emitted").GetInt32());
        Assert.Equal(20, received.Select(r => r.Id).Distinct().Count());
        Assert.All(received, r => Assert.Equal("""{"a":1}""", r.Json.GetProperty("data").GetRawText()));
        var summary = await client.GetAsync("/sandbox/webhooks/summary");
        Assert.Equal(20, summary.GetProperty("delivered").GetInt32());
        Assert.Equal(0, summary.GetProperty("pending").GetInt32());
        Assert.Equal(5, (await client.GetAsync("/sandbox/webhooks?since=15")).GetProperty("entries").GetArrayLength());
    }

    [Fact]
    public async Task Events_WithoutTarget_Answer409()
    {
        await using var client = await SandboxClient.StartAsync();

        using var posted = await client.ControlAsync(HttpMethod.Post, "/sandbox/events", """{"type":"message.read"}""");

        Assert.Equal(409, (int)posted.StatusCode);
    }

    [Fact]
    public async Task Reset_AfterSends_ForgetsThem()
    {
        await using var client = await SandboxClient.StartAsync();
        await client.StatusAsync(key: "k");

        using var reset = await client.ControlAsync(HttpMethod.Post, "/sandbox/reset");

        Assert.Equal(0, client.Server.Ledger.Effects);
        using var again = await client.SendAsync(key: "k");
        Assert.False(again.Headers.Contains("Idempotent-Replayed"));
    }

    [Theory]
    [InlineData(true, "2.0")]
    [InlineData(false, "1.1")]
    public async Task Https_ClientThatTrustsTheAuthority_IsServed(bool http2, string version)
    {
        await using var server = await SandboxServer.StartAsync(
            new SandboxOptions { Http = null, Https = new(System.Net.IPAddress.Loopback, 0), Http2 = http2 },
            cancellationToken: Token);
        using var authority = X509Certificate2.CreateFromPem(server.AuthorityPem!);
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(authority);
        using var client = new HttpClient(handler) { BaseAddress = server.HttpsAddress };
        client.DefaultRequestVersion = System.Net.HttpVersion.Version20;

        using var response = await client.GetAsync(new Uri("/sandbox", UriKind.Relative), Token);

        Assert.Null(server.HttpAddress);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(version, response.Version.ToString());
    }
}
