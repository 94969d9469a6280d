using System.Text;
using SendProxy.Queueing;

namespace SendProxy.Tests.Receiving;

/// <summary>The way of a webhook, without a socket.</summary>
public sealed class WebhookHandlerTests
{
    private const string One = """{"id":"evt_1","type":"message.delivered","created_at":"2026-11-24T07:00:00Z","data":{"message_id":"msg_9","to":"+491701234567"}}""";

    [Fact]
    public async Task Handle_Verified_StoresTheBytesAndWhatTheySay()
    {
        await using var test = await ReceivingUnderTest.OpenAsync();

        var (status, _) = await test.SendAsync(test.Webhook(One));

        var item = Assert.Single(await test.StoredAsync());
        var envelope = EventEnvelope.Read(item.Metadata)!;
        Assert.Equal(200, status);
        Assert.Equal(One, Encoding.UTF8.GetString(item.Body.Span));
        Assert.Equal(("test", "message.delivered", "msg_9", "2026-11-24T07:00:00Z", "application/json"),
            (envelope.Source, envelope.Type, envelope.MessageId, envelope.At, envelope.ContentType));
        Assert.Contains(("webhook-id", "msg_1"), envelope.Headers);
        Assert.DoesNotContain(envelope.Headers, h => h.Name == "Content-Length");
    }

    [Fact]
    public async Task Handle_CommitIsNotDone_DoesNotAnswerYet()
    {
        await using var test = await ReceivingUnderTest.OpenAsync();
        test.Queue.Close();
        var context = test.Webhook(One);

        var handling = test.HandleAsync(context);

        Assert.False(handling.IsCompleted);
        test.Queue.Open();
        await handling;
        Assert.Equal(200, context.Response.StatusCode);
        Assert.Equal("memory", context.Response.Headers["SendProxy-Durability"]);
    }

    [Fact]
    public async Task Handle_NotStoredWithinItsTime_AnswersOverload()
    {
        await using var test = await ReceivingUnderTest.OpenAsync();
        test.Queue.Close();
        var context = test.Webhook(One);

        var handling = test.HandleAsync(context);
        test.Time.Advance(TimeSpan.FromSeconds(4));
        await handling;

        Assert.Equal((503, "too_slow"), (context.Response.StatusCode, ReceivingUnderTest.ReasonOf(context)));
        Assert.Equal("1", context.Response.Headers.RetryAfter);
        test.Queue.Open();
    }

    [Fact]
    public async Task Handle_SameEventAgain_AnswersTheSameAndStoresOnce()
    {
        await using var test = await ReceivingUnderTest.OpenAsync();

        await test.SendAsync(test.Webhook(One, "msg_1"));
        var again = await test.SendAsync(test.Webhook(One, "msg_2"));

        Assert.Equal(200, again.Status);
        Assert.Single(await test.StoredAsync());
        Assert.Contains("""sendproxy_webhooks_total{source="test",verdict="duplicate"} 1""", await test.ScrapeAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Handle_AfterTheDedupeWindow_StoresAgain()
    {
        await using var test = await ReceivingUnderTest.OpenAsync("preset: sendapi, dedupe: { window: 1h }");

        await test.SendAsync(test.Webhook(One));
        test.Time.Advance(TimeSpan.FromMinutes(59));
        await test.SendAsync(test.Webhook(One));
        Assert.Single(await test.StoredAsync());

        test.Time.Advance(TimeSpan.FromMinutes(2));
        await test.SendAsync(test.Webhook(One));
        Assert.Single(await test.StoredAsync());
    }

    [Fact]
    public async Task Handle_Batch_MakesAnEventOfEachElementAndSkipsThoseKnown()
    {
        await using var test = await ReceivingUnderTest.OpenAsync();
        await test.SendAsync(test.Webhook("""{"id":"evt_b"}""", "msg_0"));

        var (status, _) = await test.SendAsync(test.Webhook("""[ {"id":"evt_a", "n":1.0}, {"id":"evt_b"},{"id":"evt_c"},{"id":"evt_a"} , 7]"""));

        var bodies = (await test.StoredAsync()).Select(i => Encoding.UTF8.GetString(i.Body.Span));
        Assert.Equal(200, status);
        Assert.Equal(["""{"id":"evt_b"}""", """{"id":"evt_a", "n":1.0}""", """{"id":"evt_c"}""", "7"], bodies);
    }

    [Fact]
    public async Task Handle_BatchLargerThanMaxEvents_StoresNothing()
    {
        await using var test = await ReceivingUnderTest.OpenAsync("preset: sendapi, events: { maxEvents: 2 }");

        Assert.Equal((413, "too_many_events"), await test.SendAsync(test.Webhook("[1,2,3]")));
        Assert.Empty(await test.StoredAsync());
        Assert.Equal(200, (await test.SendAsync(test.Webhook("[1,2]"))).Status);
    }

    [Theory]
    [InlineData("no json")]
    [InlineData("")]
    [InlineData("""{"id":"\ud800"}""")]
    public async Task Handle_SignedBodyThatSaysNothing_IsStoredAllTheSame(string body)
    {
        await using var test = await ReceivingUnderTest.OpenAsync();

        Assert.Equal(200, (await test.SendAsync(test.Webhook(body))).Status);
        Assert.Single(await test.StoredAsync());
    }

    [Theory]
    [InlineData("/webhooks/other", "POST", 404, "unknown_source")]
    [InlineData("/webhooks/test/", "POST", 404, "unknown_source")]
    [InlineData("/webhooks/", "POST", 404, "unknown_source")]
    [InlineData("/metrics", "GET", 404, "unknown_source")]
    [InlineData("/webhooks/test", "GET", 405, "method_not_allowed")]
    public async Task Handle_OtherPathsAndMethods_AreProblems(string path, string method, int status, string reason)
    {
        await using var test = await ReceivingUnderTest.OpenAsync();

        Assert.Equal((status, reason), await test.SendAsync(ReceivingUnderTest.Request(method, path)));
    }

    [Theory]
    [InlineData("webhook-signature", "v1,bad", 401, "signature_malformed")]
    [InlineData("webhook-timestamp", "1", 401, "timestamp_too_old")]
    [InlineData("Content-Length", "1048577", 413, "body_too_large")]
    [InlineData("Content-Encoding", "gzip", 415, "body_encoding")]
    public async Task Handle_HeadRulesItOut_ReadsNoBody(string header, string value, int status, string reason)
    {
        await using var test = await ReceivingUnderTest.OpenAsync();
        var context = test.Webhook(One, change: c =>
        {
            c.Request.Headers[header] = value;
            c.Request.Body = new Unreadable();
        });

        Assert.Equal((status, reason), await test.SendAsync(context));
    }

    [Theory]
    [InlineData(1024, 200)]
    [InlineData(1025, 413)]
    public async Task Handle_ChunkedBody_IsBoundedAsItIsRead(int length, int status)
    {
        await using var test = await ReceivingUnderTest.OpenAsync("preset: sendapi, maxBody: 1KiB");
        var context = test.Webhook(new string('x', length), change: c => c.Request.ContentLength = null);

        Assert.Equal(status, (await test.SendAsync(context)).Status);
    }

    [Fact]
    public async Task Handle_AsManyAsConcurrency_RefusesMoreAndGoesOnAfter()
    {
        await using var test = await ReceivingUnderTest.OpenAsync("preset: sendapi, concurrency: 1, acknowledge: { overloadStatus: 429 }");
        test.Queue.Close();
        var first = test.HandleAsync(test.Webhook(One));

        Assert.Equal((429, "busy"), await test.SendAsync(test.Webhook(One)));

        test.Queue.Open();
        await first;
        Assert.Equal(200, (await test.SendAsync(test.Webhook(One))).Status);
    }

    [Fact]
    public async Task Handle_JournalFull_AnswersOverloadWithItsWait()
    {
        await using var test = await ReceivingUnderTest.OpenAsync();
        test.Queue.Instead = EnqueueResult.Full(TimeSpan.FromSeconds(5));
        var context = test.Webhook(One);

        Assert.Equal((503, "journal_full"), await test.SendAsync(context));
        Assert.Equal("5", context.Response.Headers.RetryAfter);
    }

    [Fact]
    public async Task Handle_JournalFails_AnswersOverload()
    {
        await using var test = await ReceivingUnderTest.OpenAsync();
        test.Queue.Instead = EnqueueResult.Failed(QueueError.StoreFailed);

        Assert.Equal((503, "journal_failed"), await test.SendAsync(test.Webhook(One)));
    }

    [Fact]
    public async Task Handle_NoSecret_AsksTheVendorToComeAgain()
    {
        await using var test = await ReceivingUnderTest.OpenAsync(secrets: null);

        Assert.Equal((503, "secret_unavailable"), await test.SendAsync(test.Webhook(One)));
    }

    [Fact]
    public async Task Handle_RotatedSecret_AcceptsBoth()
    {
        const string Next = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        await using var test = await ReceivingUnderTest.OpenAsync(secrets: $"{ReceivingUnderTest.Secret} {Next}");

        Assert.Equal(200, (await test.SendAsync(test.Webhook("1", secret: ReceivingUnderTest.Secret))).Status);
        Assert.Equal(200, (await test.SendAsync(test.Webhook("2", secret: Next))).Status);
        Assert.Equal((401, "signature_mismatch"), await test.SendAsync(test.Webhook("3", secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
    }

    [Fact]
    public async Task Handle_Unverified_TakesWhatComes()
    {
        await using var test = await ReceivingUnderTest.OpenAsync("verify: none, allowUnverified: true", secrets: null);
        var context = test.Webhook("{}", change: c => c.Request.Headers.Remove("webhook-signature"));

        Assert.Equal(200, (await test.SendAsync(context)).Status);
    }

    [Theory]
    [InlineData("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock", 200, "1158201444")]
    [InlineData("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhoc", 403, "challenge_refused")]
    [InlineData("hub.mode=other&hub.challenge=1158201444&hub.verify_token=meatyhamhock", 403, "challenge_refused")]
    [InlineData("hub.mode=subscribe&hub.verify_token=meatyhamhock", 403, "challenge_refused")]
    public async Task Handle_MetaChallenge_IsGivenBackForTheToken(string query, int status, string body)
    {
        await using var test = await ReceivingUnderTest.OpenAsync("preset: meta, challenge: { verifyToken: { env: NONE } }");

        Assert.Equal((status, body), await test.SendAsync(ReceivingUnderTest.Request("GET", $"/webhooks/test?{query}")));
    }

    [Fact]
    public async Task Handle_Ended_WritesOneLineWithoutRecipient()
    {
        await using var test = await ReceivingUnderTest.OpenAsync();

        await test.SendAsync(test.Webhook(One));

        var lines = (await test.LogAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("\"verdict\":\"accepted\"", Assert.Single(lines), StringComparison.Ordinal);
        Assert.DoesNotContain("+491701234567", lines[0], StringComparison.Ordinal);
        Assert.DoesNotContain(ReceivingUnderTest.Secret, lines[0], StringComparison.Ordinal);
    }

    private sealed class Unreadable : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new Xunit.Sdk.XunitException("The body was read.");
    }

    [Fact]
    public async Task SignatureMismatches_AreWarnedOfOnceAMinuteWithTheirNumber()
    {
        await using var receiving = await ReceivingUnderTest.OpenAsync();
        const string other = "whsec_T3RoZXIgc2VjcmV0IG9mIHNvbWVib2R5";
        for (var i = 0; i < 4; i++)
        {
            await receiving.HandleAsync(receiving.Webhook("{}", $"msg_{i}", secret: other));
        }

        receiving.Time.Advance(TimeSpan.FromMinutes(1));
        await receiving.HandleAsync(receiving.Webhook("{}", "msg_5", secret: other));

        var lines = (await receiving.LogAsync()).Split('\n').Where(l => l.Contains("\"event\":\"SignatureMismatch\"", StringComparison.Ordinal)).ToArray();
        Assert.Equal(2, lines.Length);
        Assert.All(lines, l => Assert.Contains("\"level\":\"warn\"", l, StringComparison.Ordinal));
        Assert.Contains("\"Times\":\"1\"", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"Times\":\"4\"", lines[1], StringComparison.Ordinal);
    }
}
