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
    [InlineData("Milliseconds", "9750")]
    [InlineData("Decimal", "9.750")]
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

    [Theory]
    [InlineData(1, 0, "4 3 2 1 0")]
    [InlineData(2, 0, "4 2 2 0 0")]
    [InlineData(1, 2, "4 4 4 3 2")]
    [InlineData(2, 1, "4 4 2 2 0")]
    public async Task Remaining_RoundedOrLagging_IsToldSo(int step, int lag, string told)
    {
        await using var client = await StartAsync(new RateHeaderOptions { RemainingStep = step, RemainingLag = lag }, requests: 5);

        var values = new List<string?>();
        for (var i = 0; i < 5; i++)
        {
            using var response = await client.SendAsync();
            values.Add(Value(response, "X-RateLimit-Remaining"));
        }

        Assert.Equal(told, string.Join(' ', values));
    }

    [Fact]
    public async Task EarlierDraft_Names_AreThoseOfTheDraft()
    {
        await using var client = await StartAsync(new RateHeaderOptions { Names = RateHeaderNames.RateLimit });

        using var response = await client.SendAsync();

        Assert.Equal(("2", "1", "10"), (Value(response, "RateLimit-Limit"), Value(response, "RateLimit-Remaining"), Value(response, "RateLimit-Reset")));
        Assert.Null(Value(response, "X-RateLimit-Limit"));
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

    private static Task<SandboxClient> StartAsync(RateHeaderOptions headers, int requests = 2) => SandboxClient.StartAsync(
        new SandboxOptions
        {
            RateHeaders = headers,
            Limits =
            [
                new LimitOptions
                {
                    Kind = LimitKind.FixedWindow, Requests = requests, Window = TimeSpan.FromSeconds(10),
                },
            ],
        },
        new FakeTimeProvider(Start));

    private static string? Value(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
}
