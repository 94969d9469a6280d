using Microsoft.Extensions.Time.Testing;
using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Server;

namespace SendProxy.Tests.Sandbox;

public class RateHeaderTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddMilliseconds(1_000_000_000_250);

    [Theory]
    [InlineData("Seconds", "10")]
    [InlineData("Unix", "1000000010")]
    [InlineData("UnixMs", "1000000010000")]
    [InlineData("Absent", null)]
    public async Task Reset_Form_IsThatOfTheOption(string form, string? reset)
    {
        await using var client = await StartAsync(new RateHeaderOptions { Reset = Enum.Parse<ResetForm>(form) });

        using var response = await client.SendAsync();

        Assert.Equal("2", Value(response, "X-RateLimit-Limit"));
        Assert.Equal("1", Value(response, "X-RateLimit-Remaining"));
        Assert.Equal(reset, Value(response, "X-RateLimit-Reset"));
        Assert.StartsWith("req_", Value(response, "X-Request-Id"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Seconds", "10")]
    [InlineData("HttpDate", "Sun, 09 Sep 2001 01:46:51 GMT")]
    [InlineData("Absent", null)]
    public async Task RetryAfter_OfRefusal_IsInTheFormOfTheOption(string form, string? retryAfter)
    {
        await using var client = await StartAsync(
            new RateHeaderOptions { RetryAfter = Enum.Parse<RetryAfterForm>(form) });
        await client.StatusAsync();
        await client.StatusAsync();

        using var response = await client.SendAsync();

        Assert.Equal(429, (int)response.StatusCode);
        Assert.Equal("rate_limited", await SandboxClient.CodeAsync(response));
        Assert.Equal(retryAfter, Value(response, "Retry-After"));
        Assert.Equal(2, client.Server.Ledger.Effects);
    }

    [Fact]
    public async Task Draft_Names_AreThoseOfTheDraft()
    {
        await using var client = await StartAsync(new RateHeaderOptions { Names = RateHeaderNames.Draft });

        using var response = await client.SendAsync();

        Assert.Equal("\"default\";r=1;t=10", Value(response, "RateLimit"));
        Assert.Equal("\"default\";q=2", Value(response, "RateLimit-Policy"));
        Assert.Null(Value(response, "X-RateLimit-Limit"));
    }

    [Fact]
    public async Task Unauthorized_Headers_ShowTheLimitAndTakeNothing()
    {
        await using var client = await StartAsync(new RateHeaderOptions());
        client.Http.DefaultRequestHeaders.Authorization = null;

        using var response = await client.SendAsync();

        Assert.Equal(401, (int)response.StatusCode);
        Assert.Equal("2", Value(response, "X-RateLimit-Remaining"));
    }

    private static Task<SandboxClient> StartAsync(RateHeaderOptions headers) => SandboxClient.StartAsync(
        new SandboxOptions
        {
            RateHeaders = headers,
            Limits =
            [
                new LimitOptions
                {
                    Kind = LimitKind.FixedWindow, Requests = 2, Window = TimeSpan.FromSeconds(10),
                },
            ],
        },
        new FakeTimeProvider(Start));

    private static string? Value(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
}
