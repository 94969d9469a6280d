using System.Text;
using SendProxy.Sandbox.Server;

namespace SendProxy.Tests.Sandbox;

public class SendTests
{
    private const string WhatsApp = """{"session_id":"wa_main","to":"+491701234567","type":"text","text":"x"}""";
    private const string Email =
        """{"from":"Shop <a@example.com>","to":["a@example.com","b@example.com"],"subject":"s","html":"<p>x</p>"}""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sms", """{"to":"+491701234567","from":"Shop","text":"x"}""", "\"+491701234567\"", "null")]
    [InlineData("whatsapp", WhatsApp, "\"+491701234567\"", "\"wa_main\"")]
    [InlineData("email", Email, """["a@example.com","b@example.com"]""", "null")]
    public async Task Send_OfEachChannel_Answers202InTheContractsShape(
        string channel, string body, string to, string session)
    {
        await using var client = await SandboxClient.StartAsync();

        using var response = await client.SendAsync(body, path: $"/v1/{channel}/send");

        Assert.Equal(202, (int)response.StatusCode);
        var json = await SandboxClient.JsonAsync(response);
        Assert.Equal(
            ["id", "object", "channel", "status", "to", "session_id", "created_at", "metadata"],
            json.EnumerateObject().Select(p => p.Name));
        Assert.StartsWith("msg_", json.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal("message", json.GetProperty("object").GetString());
        Assert.Equal(channel, json.GetProperty("channel").GetString());
        Assert.Equal("queued", json.GetProperty("status").GetString());
        Assert.Equal(to, json.GetProperty("to").GetRawText());
        Assert.Equal(session, json.GetProperty("session_id").GetRawText());
        Assert.Equal("{}", json.GetProperty("metadata").GetRawText());
        Assert.Equal(channel, client.Server.Ledger.Read().Single().Channel);
    }

    [Theory]
    [InlineData("sms", """{"to":"0170","from":"Shop","text":"x"}""", "to")]
    [InlineData("sms", """{"to":"+0170123456","from":"Shop","text":"x"}""", "to")]
    [InlineData("sms", """{"to":"+4917012345678901","from":"Shop","text":"x"}""", "to")]
    [InlineData("sms", """{"to":["+491701234567"],"from":"Shop","text":"x"}""", "to")]
    [InlineData("sms", """{"to":"+491701234567","text":"x"}""", "from")]
    [InlineData("sms", """{"to":"+491701234567","from":"Shop","text":""}""", "text")]
    [InlineData("sms", """{"to":"+491701234567","from":"Shop","text":"x","metadata":[]}""", "metadata")]
    [InlineData("whatsapp", """{"to":"+491701234567","type":"text","text":"x"}""", "session_id")]
    [InlineData("whatsapp", """{"session_id":"wa_main","to":"+491701234567","type":"song","text":"x"}""", "type")]
    [InlineData("whatsapp", """{"session_id":"wa_main","to":"+491701234567","type":"text"}""", "text")]
    [InlineData("email", """{"from":"a@b.c","to":"a@example.com","subject":"s","text":"x"}""", "to")]
    [InlineData("email", """{"from":"a@b.c","to":[],"subject":"s","text":"x"}""", "to")]
    [InlineData("email", """{"from":"a@b.c","to":["nobody"],"subject":"s","text":"x"}""", "to")]
    [InlineData("email", """{"from":"nobody","to":["a@b.c"],"subject":"s","text":"x"}""", "from")]
    [InlineData("email", """{"from":"a@b.c","to":["a@b.c"],"text":"x"}""", "subject")]
    [InlineData("email", """{"from":"a@b.c","to":["a@b.c"],"subject":"s"}""", "html")]
    public async Task Send_WrongParameter_Answers400AndNamesIt(string channel, string body, string param)
    {
        await using var client = await SandboxClient.StartAsync();

        using var response = await client.SendAsync(body, path: $"/v1/{channel}/send");

        Assert.Equal(400, (int)response.StatusCode);
        var error = (await SandboxClient.JsonAsync(response)).GetProperty("error");
        Assert.Equal(["type", "code", "message", "param", "request_id"], error.EnumerateObject().Select(p => p.Name));
        Assert.Equal("invalid_parameter", error.GetProperty("code").GetString());
        Assert.Equal(param, error.GetProperty("param").GetString());
        Assert.Equal(
            response.Headers.GetValues("X-Request-Id").Single(), error.GetProperty("request_id").GetString());
        Assert.Equal(0, client.Server.Ledger.Effects);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"to":"\ud800"}""")]
    [InlineData("""{"to":"+491701234567","from":"S","text":"x"} x""")]
    public async Task Send_NotJson_Answers400(string body)
    {
        await using var client = await SandboxClient.StartAsync();

        using var response = await client.SendAsync(body);

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal("invalid_json", await SandboxClient.CodeAsync(response));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Send_BodyAtTheBound_IsReadAndOneByteMoreIs413(bool isChunked)
    {
        var body = Encoding.UTF8.GetBytes(SandboxClient.SmsBody());
        await using var exact = await SandboxClient.StartAsync(new SandboxOptions { MaxBodyBytes = body.Length });
        await using var small = await SandboxClient.StartAsync(new SandboxOptions { MaxBodyBytes = body.Length - 1 });

        Assert.Equal(202, await StatusAsync(exact));
        Assert.Equal(413, await StatusAsync(small));

        async Task<int> StatusAsync(SandboxClient client)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, SandboxClient.Sms);
            request.Content = new ByteArrayContent(body);
            request.Headers.TransferEncodingChunked = isChunked;
            using var response = await client.Http.SendAsync(request, Token);
            return (int)response.StatusCode;
        }
    }

    [Theory]
    [InlineData("GET", "/v1/sms/send", 405, "method_not_allowed")]
    [InlineData("POST", "/v1/messages/msg_1", 405, "method_not_allowed")]
    [InlineData("POST", "/v1/fax/send", 404, "not_found")]
    [InlineData("POST", "/v1/sms/send/", 404, "not_found")]
    [InlineData("GET", "/", 404, "not_found")]
    [InlineData("GET", "/v1/messages/msg_1", 404, "not_found")]
    [InlineData("GET", "/v1/sessions/wa_none", 404, "session_not_found")]
    public async Task Address_WrongOrOfOtherMethod_IsRefused(string method, string path, int status, string code)
    {
        await using var client = await SandboxClient.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        using var response = await client.Http.SendAsync(request, Token);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(code, await SandboxClient.CodeAsync(response));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer sk_test_other")]
    [InlineData("Bearer")]
    [InlineData("Basic sk_test_sandbox")]
    public async Task Send_WithoutAcceptedKey_Answers401(string? authorization)
    {
        await using var client = await SandboxClient.StartAsync();
        client.Http.DefaultRequestHeaders.Authorization = null;
        client.Http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);

        using var response = await client.SendAsync();

        Assert.Equal(401, (int)response.StatusCode);
        Assert.Equal("invalid_api_key", await SandboxClient.CodeAsync(response));
        Assert.Equal(0, client.Server.Ledger.Effects);
    }

    [Theory]
    [InlineData("wa_none", 404, "session_not_found")]
    [InlineData("wa_second", 422, "session_disconnected")]
    public async Task WhatsApp_SessionNotConnected_IsRefused(string session, int status, string code)
    {
        await using var client = await SandboxClient.StartAsync();
        client.Server.Sessions.Set("wa_second", SendProxy.Sandbox.Sessions.SessionStatus.QrRequired);

        using var response = await client.SendAsync(
            WhatsApp.Replace("wa_main", session, StringComparison.Ordinal), path: "/v1/whatsapp/send");

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(code, await SandboxClient.CodeAsync(response));
    }

    [Fact]
    public async Task Message_AfterItsLife_IsDeliveredWithItsEvents()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        await using var client = await SandboxClient.StartAsync(time: time);
        using var response = await client.SendAsync();
        var id = (await SandboxClient.JsonAsync(response)).GetProperty("id").GetString();
        Assert.Equal("queued", (await client.GetAsync($"/v1/messages/{id}")).GetProperty("status").GetString());

        time.Advance(TimeSpan.FromMilliseconds(200));

        var message = await client.GetAsync($"/v1/messages/{id}");
        Assert.Equal("delivered", message.GetProperty("status").GetString());
        Assert.Equal(
            ["message.queued", "message.sent", "message.delivered"],
            message.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("type").GetString()!));
    }

    [Fact]
    public async Task Message_WhenSwitchedOff_IsNotFound()
    {
        await using var client = await SandboxClient.StartAsync(new SandboxOptions { ServeMessages = false });
        using var response = await client.SendAsync();
        var id = (await SandboxClient.JsonAsync(response)).GetProperty("id").GetString();

        using var lookup = await client.Http.GetAsync(new Uri($"/v1/messages/{id}", UriKind.Relative), Token);

        Assert.Equal(404, (int)lookup.StatusCode);
    }

    [Fact]
    public async Task Ids_WithOneSeed_AreTheSameInEachRun()
    {
        async Task<string?> FirstAsync()
        {
            await using var client = await SandboxClient.StartAsync(new SandboxOptions { Seed = 42 });
            using var response = await client.SendAsync();
            return (await SandboxClient.JsonAsync(response)).GetProperty("id").GetString();
        }

        Assert.Equal(await FirstAsync(), await FirstAsync());
    }
}
