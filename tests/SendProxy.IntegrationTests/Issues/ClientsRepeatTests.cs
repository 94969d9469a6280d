using System.Net;
using System.Net.Http.Json;
using SendProxy.IntegrationTests.Clients;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Issues;

// A client library repeats by itself what looks like a passing failure. Where the vendor may have acted, it must not: each call has one effect.
public class ClientsRepeatTests
{
    private static readonly string Broken = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{";

    // What each stands before, and the prefix of what it calls. Stripe's and Resend's vendors deduplicate, and the proxy may repeat: here only
    // what the library repeats counts.
    private static readonly Dictionary<string, (string Upstream, string Prefix)> Lines = new()
    {
        ["openai"] = ("idempotency: { carrier: none }", "/v1/"),
        ["slack"] = ("preset: slack", "/api/"),
        ["stripe"] = ("preset: stripe, retry: { attempts: 1 }", "/v1/"),
        ["octokit"] = ("preset: github", "/repos/"),
        ["twilio"] = ("preset: twilio", "/2010-04-01/"),
        ["sendgrid"] = ("preset: sendgrid", "/v3/"),
        ["resend"] = ("preset: resend, retry: { attempts: 1 }", "/"),
        ["brevo"] = ("preset: brevo", "/v3/"),
        ["postmark"] = ("preset: postmark", "/"),
        ["dotnet-sendgrid"] = ("preset: sendgrid", "/v3/"),
        ["dotnet-stripe"] = ("preset: stripe, retry: { attempts: 1 }", "/v1/"),
        ["dotnet-twilio"] = ("preset: twilio", "/2010-04-01/"),
    };

    public static TheoryData<string> Clients => [.. Lines.Keys];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Library_AnswerBrokeOff_HasOneEffectAndLearnsOfTheError(string client)
    {
        ClientLibrary.RequireInstalled(client);
        await using var vendor = new RawVendor(_ => Broken);
        await using var app = await StartAsync(client, vendor.Address, "timeouts: { bodyIdle: 200ms }");

        var ended = await ClientLibrary.CallAsync(client, app.Client.BaseAddress!, Token);

        Assert.True(vendor.Heads.Count == 1, $"{vendor.Heads.Count} effects; {ended}");
        Assert.StartsWith("error: ", ended, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Library_VendorSlowerThanTheAttemptsTimeout_HasOneEffect(string client)
    {
        ClientLibrary.RequireInstalled(client);
        await using var vendor = new RawVendor(_ => "HTTP/1.1 1");
        await using var app = await StartAsync(client, vendor.Address, "timeouts: { attempt: 300ms }");

        var ended = await ClientLibrary.CallAsync(client, app.Client.BaseAddress!, Token);

        Assert.True(vendor.Heads.Count == 1, $"{vendor.Heads.Count} effects; {ended}");
        Assert.StartsWith("error: ", ended, StringComparison.Ordinal);
    }

    // The control, and what docs/CLIENTS.md says of each: what a library does by itself where no proxy stands between.
    [Theory]
    [InlineData("openai", 502, 3)]
    [InlineData("slack", 502, 4)]
    [InlineData("stripe", 502, 3)]
    [InlineData("octokit", 502, 4)]
    [InlineData("brevo", 502, 3)]
    [InlineData("dotnet-sendgrid", 502, 3)]
    [InlineData("dotnet-stripe", 502, 3)]
    [InlineData("twilio", 429, 4)]
    [InlineData("brevo", 429, 3)]
    [InlineData("twilio", 502, 1)]
    [InlineData("sendgrid", 502, 1)]
    [InlineData("sendgrid", 429, 1)]
    [InlineData("resend", 502, 1)]
    [InlineData("resend", 429, 1)]
    [InlineData("postmark", 502, 1)]
    [InlineData("dotnet-sendgrid", 429, 1)]
    [InlineData("dotnet-twilio", 502, 1)]
    [InlineData("dotnet-twilio", 429, 1)]
    public async Task Library_FailureOfTheVendor_IsRepeatedAsItsSourceSays(string client, int status, int effects)
    {
        ClientLibrary.RequireInstalled(client);
        await using var vendor = new RawVendor(_ => $"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}");

        await ClientLibrary.CallAsync(client, vendor.Address, Token);

        Assert.Equal(effects, vendor.Heads.Count);
    }

    [Theory]
    [InlineData("answer_incomplete", "yes")]
    [InlineData("upstream_broken", "maybe")]
    [InlineData("upstream_timed_out", "maybe")]
    public async Task Answer_VendorMayHaveActed_SaysToEveryClientNotToRepeat(string code, string sent)
    {
        await using var vendor = new RawVendor(_ => code switch
        {
            "answer_incomplete" => Broken,
            "upstream_broken" => null,
            _ => "HTTP/1.1 1",
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, "idempotency: { carrier: none }, timeouts: { attempt: 300ms, bodyIdle: 200ms }");

        using var answer = await app.SendAsync();

        await answer.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, code, sent);
        Assert.Equal(("false", "false", ""), (answer.Header("X-Should-Retry"), answer.Header("Stripe-Should-Retry"), answer.Header("Retry-After")));
    }

    [Fact]
    public async Task Answer_SafeMethod_KeepsItsStatus()
    {
        await using var vendor = new RawVendor(_ => null);
        await using var app = await EgressApp.StartAsync(vendor.Address, "retry: { attempts: 1 }");

        using var answer = await app.Client.GetAsync(new Uri("/v1/messages/1", UriKind.Relative), Token);

        await answer.AssertProblemAsync(HttpStatusCode.BadGateway, "upstream_broken", "maybe");
        Assert.Equal("", answer.Header("X-Should-Retry"));
    }

    [Fact]
    public async Task Answer_VendorsOwnFailure_KeepsItsStatusAndSaysNotToRepeat()
    {
        await using var vendor = new RawVendor(_ => "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
        await using var app = await EgressApp.StartAsync(vendor.Address, "idempotency: { carrier: none }");

        using var answer = await app.SendAsync();

        Assert.Equal((500, "maybe", "false"), ((int)answer.StatusCode, answer.Header("SendProxy-Sent"), answer.Header("X-Should-Retry")));
    }

    [Fact]
    public async Task Answer_VendorSaysItself_IsNotOverruled()
    {
        await using var vendor = new RawVendor(_ => "HTTP/1.1 500 X\r\nX-Should-Retry: true\r\nContent-Length: 0\r\n\r\n");
        await using var app = await EgressApp.StartAsync(vendor.Address, "idempotency: { carrier: none }");

        using var answer = await app.SendAsync();

        Assert.Equal("true", answer.Header("X-Should-Retry"));
    }

    [Fact]
    public async Task NoPreset_AnswerBrokeOff_HasOneEffectAndCheckSaysWhatTheDefaultCosts()
    {
        await using var vendor = new RawVendor(_ => null);
        using var folder = new ProxyFolder().Configure($$"""
            version: 1
            roles: [egress]
            listen: { egress: ["127.0.0.1:0"], metrics: ["127.0.0.1:0"] }
            journal: { kind: none }
            upstreams:
              any: { address: "{{vendor.Address}}", allowInsecureLoopback: true, credential: { file: key } }
            routes:
              - { name: any, upstream: any, match: { methods: [GET, POST], prefix: /v1/ } }
            """).Write("key", "any-key");
        await using var proxy = await ProxyProcess.StartAsync(folder, Token);
        using var client = new HttpClient { BaseAddress = proxy.Address("egress") };

        using var answer = await client.PostAsJsonAsync(new Uri("/v1/send", UriKind.Relative), new { a = 1 }, Token);

        Assert.Equal(("upstream_broken", "maybe", "1"), (answer.Header("SendProxy-Error"), answer.Header("SendProxy-Sent"), answer.Header("SendProxy-Attempts")));
        Assert.Single(vendor.Heads);
        var (code, output) = await ProxyProcess.RunAsync(folder, [ProxyProcess.Binary, "check", "--config", folder.ConfigPath], Token);
        Assert.Equal(0, code);
        Assert.Contains("upstreams.any.idempotency.carrier is none", output, StringComparison.Ordinal);
        Assert.Contains(proxy.Output, l => l.Contains("upstreams.any.idempotency.carrier is none", StringComparison.Ordinal));
    }

    [Fact]
    public async Task DerivedKeys_NothingKeepsThem_IsRefusedByCheck()
    {
        using var folder = new ProxyFolder().Configure("""
            version: 1
            roles: [egress]
            journal: { kind: none }
            upstreams:
              any: { address: "https://api.vendor.example", credential: { file: key }, idempotency: { carrier: none } }
            routes:
              - { name: any, upstream: any, match: { methods: [POST], prefix: /v1/ }, idempotency: { derive: content } }
            """).Write("key", "any-key");

        var (code, output) = await ProxyProcess.RunAsync(folder, [ProxyProcess.Binary, "check", "--config", folder.ConfigPath], Token);

        Assert.Equal(2, code);
        Assert.Contains("nothing keeps the keys", output, StringComparison.Ordinal);
    }

    private static async Task<EgressApp> StartAsync(string client, Uri vendor, string upstream)
    {
        var (settings, prefix) = Lines[client];
        return await EgressApp.StartAsync(vendor, more: $$"""
              lib: { {{settings}}, address: "{{vendor}}", allowInsecureLoopback: true, credential: { file: key, pattern: ".*" }, {{upstream}} }
            routes:
              - { name: lib, upstream: lib, match: { methods: [POST], prefix: {{prefix}} } }
            guard: { allowSecrets: true }
            """);
    }
}
