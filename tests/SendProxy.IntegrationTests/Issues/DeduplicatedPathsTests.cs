using System.Net;
using System.Net.Http.Json;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Issues;

// Brevo deduplicates POST /v3/smtp/email and nothing else. A key in an SMS stands for nothing, and a key that was used before is no proof that nothing was sent.
public class DeduplicatedPathsTests
{
    private const string Duplicate = """{"code":"duplicate_parameter","message":"idempotencyKey is not unique"}""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/v3/transactionalSMS/send")]
    [InlineData("/v3/whatsapp/sendMessage")]
    public async Task Send_VendorDoesNotDeduplicateThere_HasOneEffect(string path)
    {
        await using var vendor = new RawVendor(_ => null);
        await using var app = await BrevoAsync(vendor.Address);

        using var answer = await app.Client.PostAsJsonAsync(new Uri(path, UriKind.Relative), new { recipient = "491701234567", content = "Hello" }, Token);

        await answer.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "upstream_broken", "maybe");
        Assert.Single(vendor.Heads);
    }

    [Fact]
    public async Task Send_KeyWasUsedBefore_SaysMaybe()
    {
        var refusal = $"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {Duplicate.Length}\r\n\r\n{Duplicate}";
        await using var vendor = new RawVendor(_ => refusal);
        await using var app = await BrevoAsync(vendor.Address);

        using var answer = await app.Client.PostAsJsonAsync(new Uri("/v3/smtp/email", UriKind.Relative), new { subject = "Hello" }, Token);

        Assert.Equal((400, "maybe", "false", 1), ((int)answer.StatusCode, answer.Header("SendProxy-Sent"), answer.Header("X-Should-Retry"), vendor.Heads.Count));
        Assert.Equal(Duplicate, await answer.Content.ReadAsStringAsync(Token));
    }

    private static Task<EgressApp> BrevoAsync(Uri vendor) => EgressApp.StartAsync(vendor, more: $$"""
          brevo: { preset: brevo, address: "{{vendor}}", allowInsecureLoopback: true, credential: { file: key, pattern: ".*" } }
        routes:
          - { name: email, upstream: brevo, match: { methods: [POST], path: /v3/smtp/email } }
          - { name: rest, upstream: brevo, match: { methods: [POST], prefix: /v3/ } }
        """);
}
