using System.Text;
using SendProxy.Configuration;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Upstreams;

public class ClassifierTests
{
    private static readonly ClassifyRule[] Rules =
    [
        Rule(429, "/error/code", "quota_exceeded", Meaning.Quota),
        Rule(200, "/status", "1", Meaning.Throttled),
        new(null, [], new Dictionary<string, string> { ["Stripe-Should-Retry"] = "false" }, Meaning.Permanent),
    ];

    [Theory]
    [InlineData(429, """{"error":{"code":"quota_exceeded"}}""", Meaning.Quota, true)]
    [InlineData(429, """{"error":{"code":"rate_limited"}}""", Meaning.Throttled, false)]
    [InlineData(429, "not json", Meaning.Throttled, false)]
    [InlineData(429, "", Meaning.Throttled, false)]
    [InlineData(200, """{"status":1}""", Meaning.Throttled, true)]
    [InlineData(200, """{"status":0}""", Meaning.Success, false)]
    [InlineData(401, "", Meaning.CredentialRejected, false)]
    [InlineData(403, "", Meaning.Permanent, false)]
    [InlineData(404, "", Meaning.Permanent, false)]
    [InlineData(408, "", Meaning.Transient, false)]
    [InlineData(425, "", Meaning.Transient, false)]
    [InlineData(500, "", Meaning.Transient, false)]
    [InlineData(501, "", Meaning.Permanent, false)]
    [InlineData(503, "", Meaning.Transient, false)]
    [InlineData(505, "", Meaning.Permanent, false)]
    [InlineData(507, "", Meaning.Transient, false)]
    [InlineData(520, "", Meaning.Transient, false)]
    [InlineData(529, "", Meaning.Transient, false)]
    [InlineData(530, "", Meaning.Transient, false)]
    [InlineData(599, "", Meaning.Transient, false)]
    [InlineData(418, "", Meaning.Permanent, false)]
    [InlineData(460, "", Meaning.Permanent, false)]
    public void Judge_Answer_YieldsItsMeaning(int status, string body, object meaning, bool byRule) =>
        Assert.Equal(((Meaning)meaning, byRule), Classifier.Judge(Rules, status, _ => null, Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void Judge_HeaderRule_GoesBeforeTheStatus() =>
        Assert.Equal((Meaning.Permanent, true), Classifier.Judge(Rules, 500, n => n == "Stripe-Should-Retry" ? "false" : null, default));

    [Fact]
    public void Judge_503WithRetryAfter_IsThrottled() =>
        Assert.Equal((Meaning.Throttled, false), Classifier.Judge(Rules, 503, n => n == "Retry-After" ? "1" : null, default));

    private static ClassifyRule Rule(int status, string at, string text, Meaning meaning)
    {
        Assert.True(JsonPointer.TryParse(at, out var pointer));
        return new ClassifyRule(status, [(pointer!, text)], new Dictionary<string, string>(), meaning);
    }
}
