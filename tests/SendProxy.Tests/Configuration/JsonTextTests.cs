using System.Text;
using System.Text.Json;
using SendProxy.Configuration;

namespace SendProxy.Tests.Configuration;

public class JsonTextTests
{
    [Theory]
    [InlineData("""{"id":"a"}""", "/id", "a")]
    [InlineData("""{"id":"a","id":"b"}""", "/id", "b")]
    [InlineData("""{"id":{"id":"a"},"id":{}}""", "/id/id", null)]
    [InlineData("""{"x":{"id":"no"},"data":{"id":"\u00fc"}}""", "/data/id", "ü")]
    [InlineData("""{"m":[{"x":1},{"id":"a"},{"id":"b"}]}""", "/m/*/id", "a")]
    [InlineData("""{"m":[{"id":1},{"id":"b"}]}""", "/m/*/id", null)]
    [InlineData("""[["a"],["b","c"]]""", "/1/1", "c")]
    [InlineData("""{"*":"a"}""", "/*", "a")]
    [InlineData("""{"1":"a"}""", "/1", "a")]
    [InlineData("""{"id":7}""", "/id", null)]
    [InlineData("""{"id":["a"]}""", "/id", null)]
    [InlineData("""{"id":"a"}x""", "/id", null)]
    [InlineData("""{"id":"a" """, "/id", null)]
    [InlineData("""{"id":"\ud800"}""", "/id", null)]
    [InlineData("", "/id", null)]
    public void Find_Text_IsWhatTheDocumentHas(string json, string pointer, string? expected)
    {
        Assert.True(JsonPointer.TryParse(pointer, out var at));

        Assert.Equal(expected, JsonText.Find(Encoding.UTF8.GetBytes(json), at!));
    }

    [Fact]
    public void Find_RandomJson_AgreesWithTheDocument()
    {
        const int Seed = 11;
        var random = new Random(Seed);
        string[] pointers = ["/a", "/a/b", "/*", "/a/*/b", "/0", "/b/1", "/*/*", "/a/0/a"];
        for (var round = 0; round < 5000; round++)
        {
            var json = Value(random, 0);
            Assert.True(JsonPointer.TryParse(pointers[random.Next(pointers.Length)], out var at));
            using var document = JsonDocument.Parse(json);
            var expected = at!.Find(document.RootElement) is { ValueKind: JsonValueKind.String } found ? found.GetString() : null;

            Assert.True(expected == JsonText.Find(Encoding.UTF8.GetBytes(json), at), $"seed {Seed}, round {round}: {at} in {json}");
        }
    }

    private static string Value(Random random, int depth) => random.Next(depth > 3 ? 3 : 7) switch
    {
        0 => $"\"t{random.Next(100)}\"",
        1 => "null",
        2 => "1",
        3 or 4 => $"[{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, depth + 1)))}]",
        _ => $"{{{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => $"\"{"ab01*"[random.Next(5)]}\":{Value(random, depth + 1)}"))}}}",
    };
}
