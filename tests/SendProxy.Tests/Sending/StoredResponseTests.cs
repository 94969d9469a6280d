using SendProxy.Errors;
using System.Net;
using CsCheck;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Tests.Sending;

public class StoredResponseTests
{
    [Theory]
    [InlineData(200, true)]
    [InlineData(202, true)]
    [InlineData(400, true)]
    [InlineData(404, true)]
    [InlineData(422, true)]
    [InlineData(401, false)]
    [InlineData(403, false)]
    [InlineData(408, false)]
    [InlineData(409, false)]
    [InlineData(425, false)]
    [InlineData(429, false)]
    [InlineData(500, false)]
    [InlineData(503, false)]
    [InlineData(302, false)]
    public void IsFinal_Status_IsWhatAskingAgainWouldNotChange(int status, bool expected) => Assert.Equal(expected, StoredResponse.IsFinal(status));

    [Fact]
    public void Serialize_AnyAnswer_ReadsBack() =>
        Gen.Select(Gen.Int[200, 499], Gen.Byte.Array[0, 200], Gen.String.Array[0, 4]).Sample((status, body, values) =>
        {
            var answer = new StoredResponse(status, [.. values.Select((v, i) => new KeyValuePair<string, string>($"H{i}", v))], body);
            var back = StoredResponse.Parse(answer.Serialize())!;
            return back.Status == status && back.Body.Span.SequenceEqual(body) && back.Headers.SequenceEqual(answer.Headers);
        });

    [Fact]
    public void Parse_AnyBytes_DoesNotThrow() => Gen.Byte.Array[0, 60].Sample(bytes => _ = StoredResponse.Parse(bytes));

    // Version, status, and a count of -1.
    [Fact]
    public void Parse_NegativeCountOfHeaders_IsNoResponse() => Assert.Null(StoredResponse.Parse([1, 200, 1, 0xff, 0xff, 0xff, 0xff, 0x0f]));

    [Fact]
    public void From_Answer_KeepsWhatIsTrueLater()
    {
        using var answer = new HttpResponseMessage(HttpStatusCode.Accepted) { Content = new StringContent("{}") };
        answer.Headers.TryAddWithoutValidation("X-Request-Id", "1");
        answer.Headers.TryAddWithoutValidation("X-RateLimit-Remaining", "5");
        answer.Headers.TryAddWithoutValidation("Date", "Tue, 24 Nov 2026 12:00:00 GMT");
        answer.Headers.TryAddWithoutValidation("SendProxy-Sent", "forged");

        var kept = StoredResponse.From(answer, "{}"u8.ToArray(), buffered: true, Sent.No)!;

        Assert.Equal(["SendProxy-Sent", "X-Request-ID", "Content-Type"], kept.Headers.Select(h => h.Key));
        Assert.Equal(Sent.No, StoredResponse.Parse(kept.Serialize())!.Sent);
        Assert.DoesNotContain(kept.ToMessage().Headers.NonValidated, h => h.Key.StartsWith("SendProxy", StringComparison.OrdinalIgnoreCase));
        Assert.Null(StoredResponse.From(answer, default, buffered: false, Sent.Yes));
    }

    // As an older version stored it.
    [Theory]
    [InlineData(202, Sent.Yes)]
    [InlineData(422, Sent.No)]
    public void Sent_NotStored_IsWhatTheStatusSays(int status, object sent) => Assert.Equal((Sent)sent, new StoredResponse(status, [], default).Sent);
}
