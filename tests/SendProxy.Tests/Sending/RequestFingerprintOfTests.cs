using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Tests.Sending;

/// <summary>What makes a request the same: a field that is left out lets another message pass for a repetition.</summary>
public sealed class RequestFingerprintOfTests : IAsyncDisposable
{
    private readonly SendingFixture _fixture = new();

    [Fact]
    public void Of_SameFields_IsTheSame() => Assert.Equal(Of(), Of());

    [Fact]
    public void Of_OtherMethod_Differs() => Assert.NotEqual(Of(), Of(method: "PUT"));

    [Fact]
    public void Of_OtherRoute_Differs() => Assert.NotEqual(Of(), Of(route: "other"));

    [Theory]
    [InlineData("/v1/sms/other")]
    [InlineData("/v1/sms/send?a=1")]
    public void Of_OtherTarget_Differs(string target) => Assert.NotEqual(Of(), Of(target: target));

    [Fact]
    public void Of_OtherBody_Differs()
    {
        Assert.NotEqual(Of(), Of(body: """{"to":"+49151"}"""));
        Assert.NotEqual(Of(), Of(body: ""));
    }

    [Fact]
    public void Of_OtherContentType_Differs()
    {
        Assert.NotEqual(Of(), Of(headers: [new("Content-Type", "text/plain")]));
        Assert.NotEqual(Of(), Of(headers: []));
    }

    [Theory]
    [InlineData("content-type")]
    [InlineData("CONTENT-TYPE")]
    public void Of_HeaderNameInOtherCase_IsTheSame(string name) => Assert.Equal(Of(), Of(headers: [new(name, "application/json")]));

    // A repetition comes with another trace and another user agent.
    [Fact]
    public void Of_OtherHeaders_AreLeftOut() => Assert.Equal(Of(), Of(headers:
        [new("traceparent", "00-1-2-01"), new("Accept", "text/plain"), new("Content-Type", "application/json")]));

    [Fact]
    public void Of_BytesOnTheOtherSideOfABorder_Differs()
    {
        var first = RequestFingerprint.Of("POST", "sms", "/v1", "text/plain", "body"u8);

        Assert.NotEqual(first, RequestFingerprint.Of("POSTs", "ms", "/v1", "text/plain", "body"u8));
        Assert.NotEqual(first, RequestFingerprint.Of("POST", "sms/", "v1", "text/plain", "body"u8));
        Assert.NotEqual(first, RequestFingerprint.Of("POST", "sms", "/v1t", "ext/plain", "body"u8));
        Assert.NotEqual(first, RequestFingerprint.Of("POST", "sms", "/v1", "text/plainb", "ody"u8));
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    private byte[] Of(
        string method = "POST", string? route = null, string target = "/v1/sms/send", string body = """{"to":"+49150"}""",
        IReadOnlyList<KeyValuePair<string, string>>? headers = null)
    {
        var like = _fixture.Message(headers: headers, target: target);
        var bytes = System.Text.Encoding.UTF8.GetBytes(body);
        return RequestFingerprint.Of(new OutboundMessage
        {
            RequestId = like.RequestId,
            Plan = like.Plan with { Route = route ?? like.Plan.Route },
            Method = new HttpMethod(method),
            PathAndQuery = like.PathAndQuery,
            Headers = like.Headers,
            Body = ReplayBody.Rented(bytes, bytes.Length, null),
            IdempotencyKey = like.IdempotencyKey,
            Lane = like.Lane,
            Deadline = like.Deadline,
        });
    }
}
