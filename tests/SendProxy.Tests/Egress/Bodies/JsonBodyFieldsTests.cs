using System.Text;
using System.Text.Json;
using CsCheck;
using SendProxy.Configuration;
using SendProxy.Egress.Bodies;
using SendProxy.Errors;

namespace SendProxy.Tests.Egress.Bodies;

public class JsonBodyFieldsTests
{
    private const string Json = "application/json";

    private static readonly Gen<string> Name = Of("to", "a", "b", "é", "", "~", "\"");

    private static readonly Gen<string> Value = Gen.Recursive<string>((depth, value) => depth >= 3
        ? Of("1", "\"x\"", "null", "true")
        : Gen.OneOf(
            Of("1", "\"x\"", "null", "true"),
            value.Array[0, 3].Select(v => $"[{string.Join(',', v)}]"),
            Gen.Select(Name, value).Array[0, 3].Select(m => Object(m.DistinctBy(x => x.Item1)))));

    [Theory]
    [InlineData("/to", """{"to":"+491"}""", "+491")]
    [InlineData("/to/*", """{"to":["a","b"]}""", "a b")]
    [InlineData("/to/*", """{"to":"a"}""", "a")]
    [InlineData("/to/1", """{"to":["a","b"]}""", "b")]
    [InlineData("/a/*/to", """{"a":[{"to":"x"},{"to":"y"}]}""", "x y")]
    [InlineData("/a~1b", """{"a/b":"x"}""", "x")]
    [InlineData("/to", """{"to":"\u002b49","TOO":1}""", "+49")]
    [InlineData("/to", """{"\u0074o":"x"}""", "x")]
    public void Texts_There_AreReadInOrder(string pointer, string body, string expected) =>
        Assert.Equal(expected.Split(' '), Texts(pointer, body).Texts);

    [Theory]
    [InlineData("/to", "{}")]
    [InlineData("/to", """{"to":null}""")]
    [InlineData("/to", """{"to":5}""")]
    [InlineData("/to", """{"to":{"a":"b"}}""")]
    [InlineData("/to", """{"to":["a"]}""")]
    [InlineData("/to", """{"to":"a","To":"b"}""")]
    [InlineData("/to", """{"TO":"b","to":"a"}""")]
    [InlineData("/to", """{"TO":"b"}""")]
    [InlineData("/to", "[]")]
    [InlineData("/to", "\"to\"")]
    [InlineData("/to", "null")]
    [InlineData("/to/*", """{"to":[]}""")]
    [InlineData("/to/*", """{"to":["a",5]}""")]
    [InlineData("/to/*", """{"to":["a",null]}""")]
    [InlineData("/to/*", """{"to":["a",["b"]]}""")]
    [InlineData("/to/2", """{"to":["a"]}""")]
    [InlineData("/to", """{"to":"\ud800"}""")]
    public void Texts_NotOneMeaning_NameThePointerAndNotTheValue(string pointer, string body)
    {
        var refusal = Texts(pointer, body).Refusal!;

        Assert.Equal((ProxyError.BodyInvalid, Sent.No), (refusal.Error, refusal.Sent));
        Assert.Contains($" {pointer} ", refusal.Detail + " ", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"cc":null}""")]
    public void Texts_AbsentAndNotRequired_AreNone(string body)
    {
        var (texts, refusal) = Texts("/cc/*", body, required: false);

        Assert.Null(refusal);
        Assert.Empty(texts);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}{}")]
    [InlineData("{} x")]
    [InlineData("{'to':'a'}")]
    [InlineData("{\"to\":\"a\",}")]
    [InlineData("{\"to\":\"a\"/**/}")]
    [InlineData("\ufeff{\"to\":\"a\"}")]
    [InlineData("{\"to\":\"a\",\"to\":\"b\"}")]
    [InlineData("{\"to\":\"a\",\"\\u0074o\":\"b\"}")]
    [InlineData("{\"to\":\"a\",\"x\":[{\"y\":1,\"y\":1}]}")]
    [InlineData("{\"\\ud800\":1,\"\\ud800\":2,\"to\":\"a\"}")]
    [InlineData("{\"to\":NaN}")]
    public void Read_NoSingleDocument_IsInvalid(string body) =>
        Assert.Equal(ProxyError.BodyInvalid, Read(Json, "", Encoding.UTF8.GetBytes(body)).Refusal!.Error);

    [Fact]
    public void Read_NotUtf8_IsInvalid() =>
        Assert.Equal(ProxyError.BodyInvalid, Read(Json, "", [.. "{\"to\":\""u8, 0xc3, 0x28, .. "\"}"u8]).Refusal!.Error);

    [Fact]
    public void Read_TooDeep_IsInvalid() =>
        Assert.Equal(ProxyError.BodyInvalid, Read(Json, "", Encoding.UTF8.GetBytes(new string('[', 65) + new string(']', 65))).Refusal!.Error);

    [Theory]
    [InlineData("application/json", true)]
    [InlineData("Application/JSON; charset=UTF-8", true)]
    [InlineData("application/json; charset=\"utf-8\"; v=1", true)]
    [InlineData("application/vnd.api+json", true)]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("text/json", false)]
    [InlineData("text/plain", false)]
    [InlineData("application/jsonp", false)]
    [InlineData("application/json, text/plain", false)]
    [InlineData("application/json; charset=utf-16", false)]
    [InlineData("application/json; charset=utf-8; charset=utf-7", false)]
    [InlineData("application/json; charset=", false)]
    [InlineData("application/x-www-form-urlencoded", false)]
    [InlineData("text/plain+json", false)]
    public void Read_ContentType_MustBeJsonInUtf8(string? contentType, bool good)
    {
        var (fields, refusal) = Read(contentType, "", "{}"u8.ToArray());

        Assert.Equal(good, fields is not null);
        Assert.Equal(good ? null : ProxyError.BodyTypeUnsupported, refusal?.Error);
    }

    [Fact]
    public void Read_Encoded_IsNotSupported() =>
        Assert.Equal(ProxyError.BodyTypeUnsupported, Read(Json, "gzip", "{}"u8.ToArray()).Refusal!.Error);

    [Fact]
    public void Read_AnyBytes_NeverThrows() =>
        Gen.OneOf(Gen.Byte.Array[0, 60], Gen.String[Gen.Char["{}[]\",:\\u0d8to 1n"], 0, 40].Select(Encoding.UTF8.GetBytes)).Sample(body =>
        {
            var (fields, refusal) = Read(Json, "", body);
            _ = fields?.Texts(Pointer("/to/*"), true);
            return (fields is null) != (refusal is null);
        });

    [Fact]
    public void Read_AnyDocument_IsTaken() => Value.Sample(body => Read(Json, "", Encoding.UTF8.GetBytes(body)).Refusal is null);

    // Wherever the double stands, and however its name is written.
    [Fact]
    public void Read_AnyDocumentWithADoubleMember_IsRefused() =>
        Gen.Select(Name, Value, Value, Of("{0}", "[1,{0}]", "{{\"x\":{0}}}", "{{\"x\":[[{0}]]}}"), Gen.Bool).Sample((name, one, two, around, escaped) =>
        {
            var again = escaped ? string.Concat(name.Select(c => $"\\u{(int)c:x4}")) : JsonEncodedText.Encode(name).ToString();
            var twice = $"{{{Quoted(name)}:{one},\"z\":1,\"{again}\":{two}}}";
            var body = string.Format(null, around, twice);
            return Read(Json, "", Encoding.UTF8.GetBytes(body)).Refusal?.Error == ProxyError.BodyInvalid;
        });

    private static Gen<string> Of(params string[] words) => Gen.Int[0, words.Length - 1].Select(i => words[i]);

    private static string Object(IEnumerable<(string Name, string Value)> members) =>
        $"{{{string.Join(',', members.Select(m => $"{Quoted(m.Name)}:{m.Value}"))}}}";

    private static string Quoted(string name) => $"\"{JsonEncodedText.Encode(name)}\"";

    private static JsonPointer Pointer(string text) => JsonPointer.TryParse(text, out var pointer) ? pointer! : throw new ArgumentException(text, nameof(text));

    private static (JsonBodyFields? Fields, Refusal? Refusal) Read(string? type, string encoding, byte[] body) => JsonBodyFields.Read(type, encoding, body);

    private static (IReadOnlyList<string> Texts, Refusal? Refusal) Texts(string pointer, string body, bool required = true)
    {
        var (fields, _) = Read(Json, "", Encoding.UTF8.GetBytes(body));
        using (fields)
        {
            return fields!.Texts(Pointer(pointer), required);
        }
    }
}
