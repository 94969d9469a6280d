using System.Text;
using System.Text.Json;
using SendProxy.Configuration;

namespace SendProxy.Tests.Configuration;

public class JsonPointerReaderTests
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
    public void Text_Pointer_IsWhatTheDocumentHas(string json, string pointer, string? expected)
    {
        Assert.True(JsonPointer.TryParse(pointer, out var at));

        Assert.Equal(expected, JsonPointerReader.Text(Encoding.UTF8.GetBytes(json), at!));
    }

    [Theory]
    [InlineData("/a/b/0", "1")]
    [InlineData("/a/b/1/c", "x")]
    [InlineData("/a~1b", "2.50")]
    [InlineData("/m~0n", "true")]
    [InlineData("/", "null")]
    [InlineData("/to/*", "p")]
    [InlineData("/a/b/2", null)]
    [InlineData("/a/x", null)]
    [InlineData("/a/b", null)]
    [InlineData("/to/-1", null)]
    public void Scalar_Pointer_IsWhatStandsThere(string pointer, string? expected)
    {
        Assert.True(JsonPointer.TryParse(pointer, out var at));

        Assert.Equal(expected, JsonPointerReader.Scalar("""{"a":{"b":[1,{"c":"x"}]},"a/b":2.50,"m~n":true,"to":["p","q"],"":null}"""u8, at!, out _));
    }

    [Theory]
    [InlineData("""{"a":{"b":{}}}""", "/a/b/c", 2, """{}""")]
    [InlineData("""{"a":{"b":[1]}}""", "/a/b/c", 2, """[1]""")]
    [InlineData("""{"a":1}""", "/b", 0, """{"a":1}""")]
    [InlineData("""{"a":{"x":1},"a":{"y":2}}""", "/a/c", 1, """{"y":2}""")]
    public void Locate_PointerThatLeadsNowhere_IsHowFarItLeads(string json, string pointer, int depth, string there)
    {
        Assert.True(JsonPointer.TryParse(pointer, out var at));

        var location = JsonPointerReader.Locate(Encoding.UTF8.GetBytes(json), at!);

        Assert.Equal((depth, there), (location.Depth, json[location.Start..location.End]));
    }

    [Fact]
    public void Text_RandomJson_AgreesWithTheDocument()
    {
        const int Seed = 11;
        var random = new Random(Seed);
        string[] pointers = ["/a", "/a/b", "/*", "/a/*/b", "/0", "/b/1", "/*/*", "/a/0/a"];
        for (var round = 0; round < 5000; round++)
        {
            var json = Value(random, 0);
            Assert.True(JsonPointer.TryParse(pointers[random.Next(pointers.Length)], out var at));
            using var document = JsonDocument.Parse(json);
            var expected = Find(document.RootElement, [.. at!.Segments]) is { ValueKind: JsonValueKind.String } found ? found.GetString() : null;

            Assert.True(expected == JsonPointerReader.Text(Encoding.UTF8.GetBytes(json), at!), $"seed {Seed}, round {round}: {at} in {json}");
        }
    }

    // What RFC 6901 says, over a document.
    private static JsonElement? Find(JsonElement at, string[] path) => path.Length == 0 ? at : at.ValueKind switch
    {
        JsonValueKind.Object when at.TryGetProperty(path[0], out var member) => Find(member, path[1..]),
        JsonValueKind.Array when path[0] == "*" => at.EnumerateArray().Select(e => Find(e, path[1..])).FirstOrDefault(e => e is not null),
        JsonValueKind.Array when int.TryParse(path[0], out var i) && i >= 0 && i < at.GetArrayLength() => Find(at[i], path[1..]),
        _ => null,
    };

    private static string Value(Random random, int depth) => random.Next(depth > 3 ? 3 : 7) switch
    {
        0 => $"\"t{random.Next(100)}\"",
        1 => "null",
        2 => "1",
        3 or 4 => $"[{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, depth + 1)))}]",
        _ => $"{{{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => $"\"{"ab01*"[random.Next(5)]}\":{Value(random, depth + 1)}"))}}}",
    };
}
