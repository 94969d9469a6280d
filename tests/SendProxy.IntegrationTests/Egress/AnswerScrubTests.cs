using System.IO.Compression;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace SendProxy.IntegrationTests.Egress;

// A vendor that echoes the key in answers that are not buffered, or not plain.
public class AnswerScrubTests
{
    private static readonly string Large = $"{new string('a', 70_000)}{EgressStage.Key}{new string('b', 70_000)}{EgressStage.Key}";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("chunked")]
    [InlineData("length")]
    [InlineData("events")]
    public async Task Answer_Streamed_IsScrubbedAndKeepsItsLength(string form)
    {
        await using var vendor = await VendorAsync(async context =>
        {
            context.Response.ContentLength = form == "length" ? Large.Length : null;
            context.Response.ContentType = form == "events" ? "text/event-stream" : "text/plain";
            foreach (var part in Large.Chunk(999))
            {
                await context.Response.WriteAsync(new string(part), Token);
                await context.Response.Body.FlushAsync(Token);
            }
        });
        await using var app = await EgressApp.StartAsync(vendor.Address);

        using var answer = await app.SendAsync();

        var text = await answer.Content.ReadAsStringAsync(Token);
        Assert.Equal(Large.Replace(EgressStage.Key, new string('*', EgressStage.Key.Length), StringComparison.Ordinal), text);
        Assert.Contains("sendproxy_secrets_scrubbed_total{upstream=\"sendapi\"} 2", await app.MetricsAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip", 100)]
    [InlineData("br", 100)]
    [InlineData("deflate", 100)]
    [InlineData("gzip", 100_000)]
    public async Task Answer_Compressed_IsDecodedAndScrubbed(string coding, int padding)
    {
        var plain = $"{new string('a', padding)}{EgressStage.Key}";
        await using var vendor = await VendorAsync(context =>
        {
            context.Response.Headers.ContentEncoding = coding;
            return context.Response.Body.WriteAsync(Compress(coding, plain), Token).AsTask();
        });
        await using var app = await EgressApp.StartAsync(vendor.Address);

        using var answer = await app.SendAsync();

        Assert.Equal("identity", vendor.Requests[0].Header("Accept-Encoding"));
        Assert.Empty(answer.Content.Headers.ContentEncoding);
        Assert.Equal($"{new string('a', padding)}{new string('*', EgressStage.Key.Length)}", await answer.Content.ReadAsStringAsync(Token));
        Assert.Contains("sendproxy_answers_encoded_total{upstream=\"sendapi\",outcome=\"decoded\"} 1", await app.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_UnknownCoding_IsPassedOnAndCounted()
    {
        await using var vendor = await VendorAsync(context =>
        {
            context.Response.Headers.ContentEncoding = "zstd";
            return context.Response.Body.WriteAsync("opaque"u8.ToArray(), Token).AsTask();
        });
        await using var app = await EgressApp.StartAsync(vendor.Address);

        using var answer = await app.SendAsync();

        Assert.Equal((HttpStatusCode.OK, "zstd"), (answer.StatusCode, Assert.Single(answer.Content.Headers.ContentEncoding)));
        Assert.Contains("outcome=\"passed_on\"} 1", await app.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_BrokenCompression_IsTreatedAsBrokenOff()
    {
        await using var vendor = await VendorAsync(context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            return context.Response.Body.WriteAsync("no gzip at all"u8.ToArray(), Token).AsTask();
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, "retry: { attempts: 1 }");

        using var answer = await app.SendAsync();

        await answer.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "answer_incomplete", "yes");
    }

    private static Task<Destination> VendorAsync(Func<HttpContext, Task> answer) => Destination.StartAsync(Token, answer: (_, context) => answer(context));

    private static byte[] Compress(string coding, string text)
    {
        using var result = new MemoryStream();
        using (Stream stream = coding switch
        {
            "br" => new BrotliStream(result, CompressionLevel.Fastest),
            "deflate" => new ZLibStream(result, CompressionLevel.Fastest),
            _ => new GZipStream(result, CompressionLevel.Fastest),
        })
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
        }

        return result.ToArray();
    }
}
