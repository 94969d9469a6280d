using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Outbox;

// What applications can do with stored messages, on the real process.
public class OutboxApiTests
{
    private const string Journal = "journal: { path: outbox.db, allowEphemeral: true, minimum: memory }\noutbox: { retry: { baseDelay: 20ms, maxDelay: 200ms }, rampUp: 0s }";
    private static readonly (string, string) Async = ("Prefer", "respond-async");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Delete_WaitingMessage_IsNeverSent()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        using var accepted = await stage.SendAsync(headers: [Async, ("SendProxy-Not-Before", "1h")]);

        using var cancelled = await stage.RequestAsync(HttpMethod.Delete, accepted.Headers.Location!.OriginalString, null);
        using var again = await stage.RequestAsync(HttpMethod.Delete, accepted.Headers.Location!.OriginalString, null);
        var message = await OutboxCalls.EndAsync(stage, accepted);

        Assert.Equal((HttpStatusCode.NoContent, "discarded"), (cancelled.StatusCode, message.GetProperty("state").GetString()));
        Assert.Equal((HttpStatusCode.Conflict, "message_begun"), (again.StatusCode, again.Header("SendProxy-Error")));
        Assert.Equal(0, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Delete_MessageOnItsWay_IsRefused()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        using var accepted = await stage.SendAsync(headers: [Async, ("X-Sandbox-Fault", "delay;ms=1500")]);
        await stage.Vendor.Ledger.ReachAsync(1, Token);

        using var refused = await stage.RequestAsync(HttpMethod.Delete, accepted.Headers.Location!.OriginalString, null);

        Assert.Equal((HttpStatusCode.Conflict, "message_begun"), (refused.StatusCode, refused.Header("SendProxy-Error")));
        Assert.Equal("sent", (await OutboxCalls.EndAsync(stage, accepted)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task List_FiltersAndPages()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        foreach (var number in Enumerable.Range(0, 5))
        {
            using var one = await stage.SendAsync(headers: [Async, ("SendProxy-Not-Before", "1h"), ("SendProxy-Reference", $"order-{number}")]);
        }

        using var ended = await stage.SendAsync(headers: Async);
        await OutboxCalls.EndAsync(stage, ended);
        var byReference = await ListAsync(stage, "reference=order-3");
        var sent = await ListAsync(stage, "state=sent");
        var first = await ListAsync(stage, "state=queued&route=sms&max=3");
        var second = await ListAsync(stage, $"state=queued&route=sms&max=3&cursor={first.GetProperty("next").GetString()}");
        using var wrong = await stage.RequestAsync(HttpMethod.Get, "/sendproxy/outbox?state=gone", null);

        Assert.Equal(["order-3"], References(byReference));
        Assert.Single(sent.GetProperty("items").EnumerateArray());
        Assert.Equal(["order-0", "order-1", "order-2"], References(first));
        Assert.Equal(["order-3", "order-4"], References(second));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Fact]
    public async Task OtherNamespace_SeesNothing()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        using var accepted = await stage.SendAsync(headers: [Async, ("SendProxy-Not-Before", "1h")]);
        await stage.Proxy.TerminateAsync(Token);
        stage.Folder.Configure(EgressStage.Config(stage.Vendor.HttpAddress!, more: Journal.Replace("outbox: {", "outbox: { namespace: other,", StringComparison.Ordinal)));

        await using var next = await ProxyProcess.StartAsync(stage.Folder, Token);
        using var client = new HttpClient { BaseAddress = next.Address("egress") };
        using var shown = await client.GetAsync(accepted.Headers.Location, Token);
        using var cancelled = await client.DeleteAsync(accepted.Headers.Location, Token);
        var listed = await client.GetFromJsonAsync<JsonElement>(new Uri("/sendproxy/outbox", UriKind.Relative), Token);

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound, 0), (shown.StatusCode, cancelled.StatusCode, listed.GetProperty("items").GetArrayLength()));
    }

    [Fact]
    public async Task Batch_EachLine_IsAnsweredOnItsOwn()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        var lines = string.Join('\n',
            $$$"""{"path":"/v1/sms/send","body":{{{EgressStage.Sms}}},"reference":"a","idempotencyKey":"key-a"}""",
            """{"path":"/v1/nowhere","body":{}}""",
            $$$"""{"path":"/v1/sms/send","body":{{{EgressStage.Sms}}},"idempotencyKey":"key-a"}""",
            """{"path":"/v1/sms/send","method":"GET"}""",
            "no json",
            """{"path":"/v1/sms/send","boddy":{}}""",
            $$$"""{"path":"/v1/email/send","body":{"from":"shop@shop.example","to":["a@b.example"],"subject":"s","html":"h"},"notBefore":"1h"}""");

        using var answer = await stage.RequestAsync(HttpMethod.Post, "/sendproxy/outbox", lines);
        var answers = (await answer.Content.ReadAsStringAsync(Token)).TrimEnd('\n').Split('\n').Select(l => JsonDocument.Parse(l).RootElement).ToArray();

        Assert.Equal((HttpStatusCode.OK, "application/x-ndjson"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Equal([202, 404, 202, 405, 422, 422, 202], answers.Select(a => a.GetProperty("status").GetInt32()));
        Assert.Equal(answers[0].GetProperty("location").GetString(), answers[2].GetProperty("location").GetString());
        Assert.Equal("a", answers[0].GetProperty("reference").GetString());
        Assert.Equal("route_not_found", answers[1].GetProperty("problem").GetProperty("code").GetString());
        Assert.Equal("sent", (await OutboxCalls.EndAsync(stage.Client, new Uri(answers[0].GetProperty("location").GetString()!, UriKind.Relative))).GetProperty("state").GetString());
        Assert.Equal(1, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Batch_OfAThousand_IsStoredAndSentOnceEach()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal + "\nlimits: { calls: { concurrent: 50 } }");
        var lines = new StringBuilder();
        for (var i = 0; i < 1000; i++)
        {
            lines.Append("{\"path\":\"/v1/sms/send\",\"body\":").Append(EgressStage.Sms).Append("}\n");
        }

        using var answer = await stage.RequestAsync(HttpMethod.Post, "/sendproxy/outbox", lines.ToString());
        using var tooMany = await stage.RequestAsync(HttpMethod.Post, "/sendproxy/outbox", lines.Append("{}").ToString());
        await stage.Vendor.Ledger.ReachAsync(1000, Token);

        Assert.Equal(1000, (await answer.Content.ReadAsStringAsync(Token)).Split("\"status\":202").Length - 1);
        await tooMany.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "body_invalid", "no");
        Assert.Equal(1000, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Wait_AnswerComesInTime_IsTheAnswer()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);

        using var answer = await stage.SendAsync(headers: ("Prefer", "respond-async, wait=20"));

        Assert.Equal((HttpStatusCode.Accepted, "yes", "1", null, ""), (
            answer.StatusCode, answer.Header("SendProxy-Sent"), answer.Header("SendProxy-Attempts"), answer.Headers.Location, answer.Header("Preference-Applied")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("order-1")]
    public async Task Wait_IsOver_StoresWhileTheAttemptRunsOn(string? key)
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        (string, string)[] headers = [("Prefer", "respond-async, wait=1"), ("X-Sandbox-Fault", "delay;ms=2500"), .. key is null ? Array.Empty<(string, string)>() : [("Idempotency-Key", key)]];

        using var accepted = await stage.SendAsync(headers: headers);
        var first = await stage.Client.GetFromJsonAsync<JsonElement>(accepted.Headers.Location, Token);
        var last = await OutboxCalls.EndAsync(stage, accepted);

        Assert.Equal((HttpStatusCode.Accepted, "respond-async, wait=1", "maybe"), (accepted.StatusCode, accepted.Header("Preference-Applied"), accepted.Header("SendProxy-Sent")));
        Assert.Equal(("sending", "sent", 1), (first.GetProperty("state").GetString(), last.GetProperty("state").GetString(), last.GetProperty("attempts").GetInt32()));
        Assert.Equal((1, 1), (stage.Vendor.Ledger.Effects, stage.Vendor.Requests.Arrived));
    }

    // Killed after it was stored in the middle of its attempt: the next process asks again under the same key.
    [Fact]
    public async Task Wait_KilledAfterwards_IsSentOnce()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        using var accepted = await stage.SendAsync(headers: [("Prefer", "respond-async, wait=1"), ("X-Sandbox-Fault", "delay;ms=3000;times=1")]);
        await stage.Proxy.KillAsync();

        await using var next = await ProxyProcess.StartAsync(stage.Folder, Token);
        using var client = new HttpClient { BaseAddress = next.Address("egress") };
        var last = await OutboxCalls.EndAsync(client, accepted.Headers.Location!);

        Assert.Equal(("sent", 1), (last.GetProperty("state").GetString(), (int)stage.Vendor.Ledger.Effects));
    }

    [Fact]
    public async Task WhenBusy_FullLimit_IsStoredInsteadOfRefused()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal + """

            limits: { plan: { rate: 1/10s, maxWait: 10ms } }
            routes: [{ name: sms, upstream: sendapi, match: { path: /v1/sms/send }, limits: [plan], whenBusy: queue }]
            """);

        using var direct = await stage.SendAsync();
        using var stored = await stage.SendAsync();

        Assert.Equal(("yes", "no"), (direct.Header("SendProxy-Sent"), stored.Header("SendProxy-Sent")));
        Assert.StartsWith("/sendproxy/outbox/", stored.Headers.Location?.OriginalString, StringComparison.Ordinal);
        Assert.Equal("sent", (await OutboxCalls.EndAsync(stage, stored)).GetProperty("state").GetString());
        Assert.Equal(2, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task WhenBusy_BrokenAfterItWasBegun_IsStoredOnlyWhereTheVendorDeduplicates()
    {
        const string routes = "\nroutes: [{ name: sms, upstream: sendapi, match: { path: /v1/sms/send }, whenBusy: queue }]";
        await using var keyed = await EgressStage.SetAsync("retry: { attempts: 1 }", Journal + routes);
        await using var other = await EgressStage.SetAsync("retry: { attempts: 1 }, idempotency: { carrier: none }", Journal + routes);

        using var stored = await keyed.SendAsync(headers: ("X-Sandbox-Fault", "accept-drop;times=1"));
        using var refused = await other.SendAsync(headers: ("X-Sandbox-Fault", "accept-drop;times=1"));

        Assert.Equal((HttpStatusCode.Accepted, "maybe"), (stored.StatusCode, stored.Header("SendProxy-Sent")));
        Assert.Equal("sent", (await OutboxCalls.EndAsync(keyed, stored)).GetProperty("state").GetString());
        Assert.Equal(1, keyed.Vendor.Ledger.Effects);
        await refused.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "upstream_broken", "maybe");
    }

    [Fact]
    public async Task MaxQueued_IsReached_SaysWhenToComeBack()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal + "\nroutes: [{ name: sms, upstream: sendapi, match: { path: /v1/sms/send }, maxQueued: 2 }]");
        (string, string)[] later = [Async, ("SendProxy-Not-Before", "1h")];
        using var one = await stage.SendAsync(headers: later);
        using var two = await stage.SendAsync(headers: later);

        using var three = await stage.SendAsync(headers: later);

        await three.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "journal_full", "no");
        Assert.True(three.Headers.RetryAfter?.Delta > TimeSpan.Zero);
    }

    [Fact]
    public async Task End_IsAnEventToSubscribers()
    {
        await using var application = await Destination.StartAsync(Token);
        await using var stage = await EgressStage.SetAsync(
            more: Journal + $$"""

            webhooks: { subscribers: { app: { url: "{{application.Address}}hooks", events: ["sendproxy.send.*"] } } }
            """);

        using var accepted = await stage.SendAsync(headers: [Async, ("SendProxy-Reference", "order-7")]);
        var sent = await OutboxCalls.EndAsync(stage, accepted);
        var received = (await application.WaitForAsync(1, Token))[0];
        var told = JsonDocument.Parse(received.Body).RootElement;
        var data = told.GetProperty("data");

        Assert.Equal(("sendproxy.send.sent", "sendproxy"), (told.GetProperty("type").GetString(), received.Header("SendProxy-Source")));
        Assert.Equal(told.GetProperty("id").GetString(), received.Header("webhook-id"));
        Assert.Equal(
            ("order-7", "sent", 1, 202, sent.GetProperty("messageId").GetString()),
            (data.GetProperty("reference").GetString(), data.GetProperty("state").GetString(), data.GetProperty("attempts").GetInt32(), data.GetProperty("status").GetInt32(),
                data.GetProperty("message_id").GetString()));
        Assert.DoesNotContain("4917", Encoding.UTF8.GetString(received.Body), StringComparison.Ordinal);
    }

    private static async Task<JsonElement> ListAsync(EgressStage stage, string query) =>
        await stage.Client.GetFromJsonAsync<JsonElement>(new Uri($"/sendproxy/outbox?{query}", UriKind.Relative), Token);

    private static string[] References(JsonElement page) => [.. page.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("reference").GetString()!)];
}
