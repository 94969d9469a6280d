using System.Text;
using System.Text.Json;
using CsCheck;
using SendProxy.Configuration;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Tests.Sending;

public class IdempotencyKeyWriterTests
{
    [Theory]
    [InlineData("{}", "{\"headers\":{\"key\":\"k\"}}")]
    [InlineData("{ }", "{\"headers\":{\"key\":\"k\"} }")]
    [InlineData("{\"a\" : 1}", "{\"headers\":{\"key\":\"k\"},\"a\" : 1}")]
    [InlineData("{\"headers\":{}}", "{\"headers\":{\"key\":\"k\"}}")]
    [InlineData("{\"a\":{\"headers\":{}},\"headers\": {\"x\":\"y\"}}", "{\"a\":{\"headers\":{}},\"headers\": {\"key\":\"k\",\"x\":\"y\"}}")]
    [InlineData("{\"headers\":{\"key\":\"own\"},\"headers\":{}}", "{\"headers\":{\"key\":\"own\"},\"headers\":{\"key\":\"k\"}}")]
    [InlineData("{\"headers\":{\"key\":\"own\"}}", "{\"headers\":{\"key\":\"own\"}}")]
    public void Splice_JsonObject_GetsTheKeyAndKeepsItsOtherBytes(string body, string expected) =>
        Assert.Equal(expected, Apply(body, "/headers/key", "k"));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("{\"a\":")]
    [InlineData("{} {}")]
    [InlineData("{\"headers\":1}")]
    [InlineData("{\"headers\":{\"key\":1}}")]
    public void Splice_OtherBody_HasNoPlaceForIt(string body) => Assert.Null(Apply(body, "/headers/key", "k"));

    [Fact]
    public void Splice_AnyKey_ReadsBackAsItself() => Gen.String[Gen.Char[' ', '~'], 1, 30].Sample(key =>
    {
        using var json = JsonDocument.Parse(Apply("{\"a\":[1,{\"b\":2}]}", "/k", key)!);
        return json.RootElement.GetProperty("k").GetString() == key;
    });

    private static string? Apply(string body, string at, string key)
    {
        Assert.True(JsonPointer.TryParse(at, out var pointer));
        var bytes = Encoding.UTF8.GetBytes(body);
        return IdempotencyKeyWriter.Splice(bytes, pointer!, key) is { } splice
            ? Encoding.UTF8.GetString([.. bytes.AsSpan(0, splice.At), .. splice.Insert.Span, .. bytes.AsSpan(splice.At)])
            : null;
    }
}
