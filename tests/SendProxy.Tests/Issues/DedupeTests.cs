using SendProxy.Tests.Receiving;

namespace SendProxy.Tests.Issues;

// What is acknowledged as a repetition is gone: two events may be taken for one only where they have one id, or none at all.
public class DedupeTests
{
    private const string Body = """{"type":"ping"}""";
    private const string Unsigned = "verify: none, allowUnverified: true";

    [Theory]
    [InlineData("svix-id")]
    [InlineData("Shopify-Webhook-Id")]
    [InlineData("X-Shopify-Webhook-Id")]
    public async Task EqualBodies_OtherIds_AreTwoEvents(string header)
    {
        var preset = header == "svix-id" ? "headers: [webhook-id, svix-id]" : "headers: [X-Shopify-Webhook-Id, Shopify-Webhook-Id]";
        await using var test = await ReceivingUnderTest.OpenAsync($"{Unsigned}, dedupe: {{ {preset} }}", secrets: null);

        await SendAsync(test, (header, "a"));
        await SendAsync(test, (header, "b"));
        await SendAsync(test, (header, "a"));

        Assert.Equal(2, (await test.StoredAsync()).Length);
    }

    [Fact]
    public async Task OneShopifyEvent_OfTwoTopics_IsTwoEvents()
    {
        await using var test = await ReceivingUnderTest.OpenAsync($"{Unsigned}, dedupe: {{ headers: [X-Shopify-Webhook-Id, X-Shopify-Event-Id] }}", secrets: null);

        await SendAsync(test, ("X-Shopify-Event-Id", "one"), ("X-Shopify-Webhook-Id", "a"));
        await SendAsync(test, ("X-Shopify-Event-Id", "one"), ("X-Shopify-Webhook-Id", "b"));

        Assert.Equal(2, (await test.StoredAsync()).Length);
    }

    [Fact]
    public async Task EqualBodies_WithoutAnyId_AreOneEvent()
    {
        await using var test = await ReceivingUnderTest.OpenAsync($"{Unsigned}, dedupe: {{ headers: [webhook-id, svix-id] }}", secrets: null);

        await SendAsync(test);
        await SendAsync(test, ("svix-id", ""));

        Assert.Single(await test.StoredAsync());
    }

    [Fact]
    public async Task OneValue_InTwoHeaders_IsTwoIds()
    {
        await using var test = await ReceivingUnderTest.OpenAsync($"{Unsigned}, dedupe: {{ headers: [webhook-id, svix-id] }}", secrets: null);

        await SendAsync(test, ("webhook-id", "1"));
        await SendAsync(test, ("svix-id", "1"));

        Assert.Equal(2, (await test.StoredAsync()).Length);
    }

    [Fact]
    public async Task Batch_EqualElementsWithoutIds_AreKnownByTheRequestAndTheirPlace()
    {
        await using var test = await ReceivingUnderTest.OpenAsync($"{Unsigned}, dedupe: {{ id: /id, headers: [webhook-id] }}, events: {{ batched: true }}", secrets: null);

        await SendAsync(test, "[7,7]", ("webhook-id", "1"));
        await SendAsync(test, "[7,7]", ("webhook-id", "2"));
        await SendAsync(test, "[7,7]", ("webhook-id", "1"));

        Assert.Equal(4, (await test.StoredAsync()).Length);
    }

    private static Task SendAsync(ReceivingUnderTest test, params (string Name, string Value)[] headers) => SendAsync(test, Body, headers);

    private static async Task SendAsync(ReceivingUnderTest test, string body, params (string Name, string Value)[] headers)
    {
        var context = ReceivingUnderTest.Request("POST", "/webhooks/test");
        var bytes = System.Text.Encoding.UTF8.GetBytes(body);
        (context.Request.Body, context.Request.ContentLength) = (new MemoryStream(bytes), bytes.Length);
        foreach (var (name, value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        Assert.Equal(200, (await test.SendAsync(context)).Status);
    }
}
