using System.Text;
using SendProxy.Sending.Responses;

namespace SendProxy.Tests.Sending;

// RFC 9112, 6.3: which length of a body is believed where the headers contradict themselves.
public class ResponseFramingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", null)]
    [InlineData("7", 7)]
    [InlineData("7|7", 7)]
    [InlineData("7, 7 ,7", 7)]
    [InlineData("7|8", null)]
    [InlineData("7, 8", null)]
    [InlineData("seven", null)]
    [InlineData("-7", null)]
    [InlineData("+7", null)]
    [InlineData("7.0", null)]
    [InlineData("99999999999999999999", null)]
    public void Length_OfWhatTheHeadersState_IsOneOrNone(string values, int? expected)
    {
        using var response = Response("body", values.Split('|', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(expected, ResponseFraming.Length(response));
    }

    [Fact]
    public async Task Normalize_TwoEqualLengths_EndsTheBodyThere()
    {
        using var response = Response("{}and what follows on the connection", "2", "2");

        ResponseFraming.Normalize(response);

        Assert.Equal(2, response.Content.Headers.ContentLength);
        Assert.Equal("{}", await response.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task Normalize_BodyShorterThanItsTwoLengths_IsBrokenOff()
    {
        using var response = Response("{", "2", "2");
        ResponseFraming.Normalize(response);

        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            using var body = await response.Content.ReadAsStreamAsync(Token);
            await body.ReadExactlyAsync(new byte[2], Token);
        });
    }

    [Fact]
    public async Task Normalize_ChunkedWithALength_ForgetsTheLength()
    {
        using var response = Response("{}", "1");
        response.Headers.TransferEncodingChunked = true;

        ResponseFraming.Normalize(response);

        // Before it is read: a content that was buffered says its length by itself.
        Assert.False(response.Content.Headers.NonValidated.Contains("Content-Length"));
        Assert.Equal("{}", await response.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public void Normalize_OneLength_LeavesTheContentAsItIs()
    {
        using var response = Response("{}", "2");
        var content = response.Content;

        ResponseFraming.Normalize(response);

        Assert.Same(content, response.Content);
    }

    private static HttpResponseMessage Response(string body, params string[] lengths)
    {
        var response = new HttpResponseMessage { Content = new StreamContent(new MemoryStream(Encoding.Latin1.GetBytes(body))) };
        if (lengths.Length > 0)
        {
            response.Content.Headers.TryAddWithoutValidation("Content-Length", lengths);
        }

        return response;
    }
}
