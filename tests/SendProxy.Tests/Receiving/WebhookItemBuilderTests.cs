using Microsoft.Extensions.Time.Testing;
using SendProxy.Receiving;

namespace SendProxy.Tests.Receiving;

public class WebhookItemBuilderTests
{
    private static readonly FakeTimeProvider Time = new(DateTimeOffset.FromUnixTimeSeconds(1_614_265_330));

    [Fact]
    public void OneId_OfTwoSources_IsTwoNames()
    {
        var first = Dedupe(Options("stripe") with { Name = "first" }, """{"id":"evt_1"}""");
        var second = Dedupe(Options("stripe") with { Name = "second" }, """{"id":"evt_1"}""");

        Assert.Equal(("first", "second"), (first.Scope, second.Scope));
        Assert.Equal(first.Key, second.Key);
    }

    [Theory]
    [InlineData("""{"id":"evt_1"}""", "h", "id:evt_1")]
    [InlineData("""{"id":7}""", "h", "id:7")]
    [InlineData("""{"id":""}""", "h", "header:h")]
    [InlineData("""{"id":{}}""", "h", "header:h")]
    [InlineData("no json", "h", "header:h")]
    public void Name_IsTheIdThenTheHeader(string body, string? header, string expected) =>
        Assert.Equal(expected, Dedupe(Options("stripe"), body, header).Key);

    [Fact]
    public void Name_WithoutIdAndHeader_IsTheBodys()
    {
        var options = Options("stripe");

        Assert.Equal(Dedupe(options, "{}").Key, Dedupe(options, "{}").Key);
        Assert.NotEqual(Dedupe(options, "{}").Key, Dedupe(options, "{ }").Key);
        Assert.StartsWith("body:", Dedupe(options, "{}").Key, StringComparison.Ordinal);
    }

    private static SourceOptions Options(string preset) => Recipes.Read($"{{ preset: {preset}, secrets: [{{ env: NONE }}] }}");

    private static SendProxy.Queueing.DedupeKey Dedupe(SourceOptions options, string body, string? header = null)
    {
        var request = new VerifiedRequest(System.Text.Encoding.UTF8.GetBytes(body), "application/json", [], header, null, Time.GetUtcNow());
        return Assert.Single(WebhookItemBuilder.Split(options, request, Time)!).Dedupe!;
    }
}
