using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Sandbox.Faults;
using SendProxy.Sandbox.Sessions;

namespace SendProxy.Tests.Sandbox;

public class FaultTests
{
    private const string WhatsApp = """{"session_id":"wa_main","to":"+491701234567","type":"text","text":"x"}""";
    private const string WhatsAppPath = "/v1/whatsapp/send";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("accept-drop", 1)]
    [InlineData("drop-before", 0)]
    [InlineData("drop-unread", 0)]
    public async Task Drop_FirstAttempt_CutsAndRetryMakesOneEffect(string fault, int effects)
    {
        await using var client = await SandboxClient.StartAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync(key: "k", fault: fault));
        Assert.Equal(effects, client.Server.Ledger.Effects);

        Assert.Equal(202, await client.StatusAsync(key: "k", fault: fault));
        Assert.Equal(1, client.Server.Ledger.Effects);
        Assert.Equal(fault, client.Server.Requests.Read()[0].Fault);
        Assert.Equal(0, client.Server.Requests.Read()[0].Status);
    }

    [Theory]
    [InlineData("error-before", 500, "internal_error")]
    [InlineData("error-before;status=502", 502, "bad_gateway")]
    [InlineData("bad-gateway", 502, "bad_gateway")]
    [InlineData("unavailable", 503, "service_unavailable")]
    [InlineData("gateway-timeout", 504, "gateway_timeout")]
    [InlineData("rate-limited", 429, "rate_limited")]
    [InlineData("quota-exceeded", 429, "quota_exceeded")]
    [InlineData("unauthorized", 401, "invalid_api_key")]
    [InlineData("insufficient-balance", 402, "insufficient_balance")]
    [InlineData("channel-disabled", 403, "channel_disabled")]
    [InlineData("session-not-found", 404, "session_not_found")]
    [InlineData("key-in-use", 409, "idempotency_key_in_use")]
    [InlineData("too-large", 413, "request_too_large")]
    [InlineData("opted-out", 422, "recipient_opted_out")]
    [InlineData("window-closed", 422, "window_closed")]
    [InlineData("session-disconnected", 422, "session_disconnected")]
    [InlineData("invalid-parameter", 400, "invalid_parameter")]
    public async Task Refusal_ByHeader_AnswersWithoutEffect(string fault, int status, string code)
    {
        await using var client = await SandboxClient.StartAsync();

        using var response = await client.SendAsync(fault: fault);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(code, await SandboxClient.CodeAsync(response));
        Assert.Equal(0, client.Server.Ledger.Effects);
    }

    [Fact]
    public async Task ErrorAfter_ByHeader_Answers500WithEffect()
    {
        await using var client = await SandboxClient.StartAsync();

        Assert.Equal(504, await client.StatusAsync(fault: "error-after;status=504"));

        Assert.Equal(1, client.Server.Ledger.Effects);
    }

    [Theory]
    [InlineData("rate-limited;ms=2500", "3")]
    [InlineData("rate-limited;retry_after=7", "7")]
    [InlineData("rate-limited-bare", null)]
    [InlineData("rate-limited-date", "Sat, 01 Jan 2000 00:00:01 GMT")]
    [InlineData("rate-limited-past", "Fri, 31 Dec 1999 23:59:00 GMT")]
    [InlineData("rate-limited-absurd", "315360000")]
    [InlineData("rate-limited-malformed", "soon")]
    [InlineData("unavailable", "1")]
    public async Task RateLimited_Form_SaysRetryAfter(string fault, string? retryAfter)
    {
        await using var client = await SandboxClient.StartAsync(time: new FakeTimeProvider());

        using var response = await client.SendAsync(fault: fault);

        var values = response.Headers.NonValidated.TryGetValues("Retry-After", out var found) ? found.ToString() : null;
        Assert.Equal(retryAfter, values);
        Assert.Equal("Sat, 01 Jan 2000 00:00:00 GMT", response.Headers.NonValidated["Date"].ToString());
    }

    [Fact]
    public async Task RateLimited_ThreeTimes_FourthAttemptIsAccepted()
    {
        await using var client = await SandboxClient.StartAsync();
        var statuses = new List<int>();
        for (var i = 0; i < 4; i++) { statuses.Add(await client.StatusAsync(key: "k", fault: "rate-limited;times=3")); }

        Assert.Equal([429, 429, 429, 202], statuses);
    }

    [Fact]
    public async Task RemainingZero_UntilReset_RefusesTheOthers()
    {
        var time = new FakeTimeProvider();
        await using var client = await SandboxClient.StartAsync(time: time);

        using var accepted = await client.SendAsync(fault: "remaining-zero;ms=3000");
        Assert.Equal(202, (int)accepted.StatusCode);
        Assert.Equal("0", accepted.Headers.GetValues("X-RateLimit-Remaining").Single());
        Assert.Equal("3", accepted.Headers.GetValues("X-RateLimit-Reset").Single());
        Assert.Equal(429, await client.StatusAsync());

        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(202, await client.StatusAsync());
        Assert.Equal(2, client.Server.Ledger.Effects);
    }

    [Theory]
    [InlineData("delay", 1)]
    [InlineData("delay-before", 0)]
    public async Task Delay_BeforeTimePasses_HasEffectsByKind(string fault, int effects)
    {
        var time = new SignallingTimeProvider();
        await using var client = await SandboxClient.StartAsync(time: time);

        var sending = client.SendAsync(fault: fault + ";ms=1000");
        await time.Timers.ReachAsync(1, Token);
        Assert.Equal(effects, client.Server.Ledger.Effects);

        time.Advance(TimeSpan.FromSeconds(1));
        using var response = await sending;
        Assert.Equal(202, (int)response.StatusCode);
        Assert.Equal(1, client.Server.Ledger.Effects);
    }

    [Fact]
    public async Task PartialBody_Always_BreaksOffBelowContentLength()
    {
        await using var client = await SandboxClient.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, SandboxClient.Sms);
        request.Content = new StringContent(SandboxClient.SmsBody());
        request.Headers.Add("X-Sandbox-Fault", "partial-body");

        using var response = await client.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);

        Assert.Equal(202, (int)response.StatusCode);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => response.Content.ReadAsByteArrayAsync(Token));
        Assert.Equal(1, client.Server.Ledger.Effects);
    }

    [Fact]
    public async Task SlowHeaders_Always_ArriveWholeInTheEnd()
    {
        await using var client = await SandboxClient.StartAsync();

        using var response = await client.SendAsync(fault: "slow-headers;ms=40");

        Assert.Equal(202, (int)response.StatusCode);
        Assert.Equal("queued", (await SandboxClient.JsonAsync(response)).GetProperty("status").GetString());
        Assert.True(response.Headers.ConnectionClose);
        Assert.Equal(1, client.Server.Ledger.Effects);
    }

    [Fact]
    public async Task WrongContentType_Always_IsHtmlWithEffect()
    {
        await using var client = await SandboxClient.StartAsync();

        using var response = await client.SendAsync(fault: "wrong-content-type");

        Assert.Equal("text/html", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(1, client.Server.Ledger.Effects);
    }

    [Fact]
    public async Task KeyEcho_Always_ShowsTheKeyInHeaderAndBody()
    {
        await using var client = await SandboxClient.StartAsync();

        using var response = await client.SendAsync(fault: "key-echo");

        Assert.Equal("Bearer " + SandboxClient.Key, response.Headers.GetValues("X-Debug-Authorization").Single());
        Assert.Equal(SandboxClient.Key, (await SandboxClient.JsonAsync(response)).GetProperty("debug").GetString());
    }

    [Fact]
    public async Task SessionDrop_Retry_ReplaysThe422AndSendsOnce()
    {
        await using var client = await SandboxClient.StartAsync();

        Assert.Equal(422, await client.StatusAsync(WhatsApp, "k", "session-drop", WhatsAppPath));
        Assert.Equal(SessionStatus.Disconnected, client.Server.Sessions.Find("wa_main")!.Status);
        Assert.Equal(422, await client.StatusAsync(WhatsApp, "other", path: WhatsAppPath));
        client.Server.Sessions.Set("wa_main", SessionStatus.Connected);

        Assert.Equal(422, await client.StatusAsync(WhatsApp, "k", path: WhatsAppPath));
        Assert.Equal(1, client.Server.Ledger.Effects);
        // What was refused for the session's state alone is not kept: it may be sent now.
        Assert.Equal(202, await client.StatusAsync(WhatsApp, "other", path: WhatsAppPath));
    }

    [Fact]
    public async Task SessionDrop_WithLength_ComesBackByItself()
    {
        var time = new FakeTimeProvider();
        await using var client = await SandboxClient.StartAsync(time: time);
        await client.StatusAsync(WhatsApp, fault: "session-drop;ms=4000", path: WhatsAppPath);

        time.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(202, await client.StatusAsync(WhatsApp, path: WhatsAppPath));
    }

    [Fact]
    public async Task SessionLies_Always_Answers202WithoutEffect()
    {
        await using var client = await SandboxClient.StartAsync();
        client.Server.Sessions.Set("wa_main", SessionStatus.Connected, lies: true);

        Assert.Equal(202, await client.StatusAsync(WhatsApp, path: WhatsAppPath));
        Assert.Equal(202, await client.StatusAsync(fault: "session-lies"));

        Assert.Equal(0, client.Server.Ledger.Effects);
    }

    [Fact]
    public async Task MagicNumber_OfEachKind_IsFoundByItsName()
    {
        await using var client = await SandboxClient.StartAsync();
        foreach (var kind in FaultCatalog.All.Where(k => k.Action == FaultAction.Refuse))
        {
            using var response = await client.SendAsync(SandboxClient.SmsBody(to: kind.Phone), "k" + kind.Name);
            Assert.Equal(kind.Error!.Status, (int)response.StatusCode);
        }

        Assert.Equal(0, client.Server.Ledger.Effects);
    }

    [Fact]
    public async Task MagicAddress_WithParticulars_IsUnderstood()
    {
        await using var client = await SandboxClient.StartAsync();
        const string Body =
            """{"from":"a@example.com","to":["rate-limited+times=2@sandbox.test"],"subject":"s","text":"t"}""";
        var statuses = new List<int>();
        for (var i = 0; i < 3; i++) { statuses.Add(await client.StatusAsync(Body, "k", path: "/v1/email/send")); }

        Assert.Equal([429, 429, 202], statuses);
    }

    [Theory]
    [InlineData("no-such-fault")]
    [InlineData("delay;ms=-1")]
    [InlineData("delay;ms=600001")]
    [InlineData("delay;colour=red")]
    [InlineData("error-after;status=404")]
    [InlineData("rate-limited;times=0")]
    public async Task Header_NotUnderstood_Answers400(string fault)
    {
        await using var client = await SandboxClient.StartAsync();

        Assert.Equal(400, await client.StatusAsync(fault: fault));
    }

    [Fact]
    public async Task Dispose_WhileARequestWaits_EndsIt()
    {
        var time = new SignallingTimeProvider();
        var client = await SandboxClient.StartAsync(time: time);
        var sending = client.SendAsync(fault: "delay;ms=600000");
        await time.Timers.ReachAsync(1, Token);

        await client.Server.DisposeAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => sending);
        client.Http.Dispose();
    }

    [Fact]
    public void Catalog_NumbersAndNames_AreUnique()
    {
        Assert.Distinct(FaultCatalog.All.Select(k => k.Number.ToString(CultureInfo.InvariantCulture)));
        Assert.Distinct(FaultCatalog.All.Select(k => k.Name));
    }
}
