using System.Globalization;
using SendProxy.IntegrationTests.Abuse;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Issues;

// What well-behaved clients send is passed on byte for byte; what two servers could read differently is not.
public class TargetsAndHeadersTests
{
    private const string Routes = """
        routes:
          - { name: admin, upstream: sendapi, match: { methods: [GET], path: /v1/items/admin/all } }
          - { name: items, upstream: sendapi, match: { methods: [GET], prefix: /v1/items/ } }
          - { name: search, upstream: sendapi, getBody: send, match: { methods: [GET], path: /v1/search } }
          - { name: secret, upstream: sendapi, match: { methods: [GET], path: /v1/secret } }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/v1/items/group%2Fproject")]
    [InlineData("/v1/items/%7Euser")]
    [InlineData("/v1/items/100%25")]
    [InlineData("/v1/items/a|b^c")]
    [InlineData("/v1/items/?filter={\"a\":[1|2]}&b=<c>^`\\")]
    [InlineData("/v1/items/?text=one%0Atwo%7E")]
    public async Task Target_AsClientsSpellIt_ArrivesUnchanged(string target)
    {
        await using var vendor = new RawVendor(_ => RawVendor.Ok);
        await using var stage = await StageAsync(vendor);

        var answer = await Wire.AskOnceAsync(stage.Proxy.Address("egress"), [$"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"], Token);

        Assert.Equal("200", answer);
        Assert.StartsWith($"GET {target} HTTP/1.1\r\n", Assert.Single(vendor.Heads), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/items/admin%2Fall")]
    [InlineData("/v1/items/%61dmin/all")]
    [InlineData("/v1/items/admin%252Fall")]
    [InlineData("/v1/items/..%2Fsecret")]
    [InlineData("/v1/items/x%2F..%2F..%2Fsecret")]
    [InlineData("/v1%2Fsecret")]
    public async Task Target_ThatIsAnotherRoutesOnceUndone_IsRefused(string target)
    {
        await using var vendor = new RawVendor(_ => RawVendor.Ok);
        await using var stage = await StageAsync(vendor);

        var answer = await Wire.AskOnceAsync(stage.Proxy.Address("egress"), [$"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"], Token);

        Assert.Equal("400 request_malformed", answer);
        Assert.Empty(vendor.Heads);
    }

    [Theory]
    [InlineData("\xc3\xa4\xe2\x82\xac")]
    [InlineData("caf\xe9")]
    public async Task Header_InUtf8OrLatin1_ArrivesByteForByte(string value)
    {
        await using var vendor = new RawVendor(_ => RawVendor.Ok);
        await using var stage = await StageAsync(vendor);

        var answer = await Wire.AskOnceAsync(stage.Proxy.Address("egress"), [$"GET /v1/items/1 HTTP/1.1\r\nHost: localhost\r\nX-Name: {value}\r\n\r\n"], Token);

        Assert.Equal("200", answer);
        Assert.Contains($"\r\nX-Name: {value}\r\n", Assert.Single(vendor.Heads), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/items/1", "400 request_malformed", 0)]
    [InlineData("/v1/search", "200", 1)]
    public async Task Get_WithABody_GoesOnOnlyWhereTheRouteSaysSo(string path, string expected, int arrived)
    {
        await using var vendor = new RawVendor(_ => RawVendor.Ok);
        await using var stage = await StageAsync(vendor);

        var answer = await Wire.AskOnceAsync(stage.Proxy.Address("egress"), [$"GET {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}"], Token);

        Assert.Equal((expected, arrived), (answer, vendor.Heads.Count));
        Assert.All(vendor.Heads, head => Assert.Contains("\r\nConnection: close", head, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Target_LongerThanTheSetting_IsRefusedByItsName()
    {
        await using var vendor = new RawVendor(_ => RawVendor.Ok);
        await using var stage = await StageAsync(vendor, "maxTarget: 16KiB");
        string Long(int length) => string.Create(CultureInfo.InvariantCulture, $"GET /v1/items/?a={new string('a', length - 13)} HTTP/1.1\r\nHost: localhost\r\n\r\n");

        var fits = await Wire.AskOnceAsync(stage.Proxy.Address("egress"), [Long(16 * 1024)], Token);
        var longer = await Wire.AskOnceAsync(stage.Proxy.Address("egress"), [Long((16 * 1024) + 1)], Token);

        Assert.Equal(("200", "400 request_malformed"), (fits, longer));
    }

    private static Task<EgressStage> StageAsync(RawVendor vendor, string listen = "") => EgressStage.SetAsync(
        more: Routes, listen: listen, address: vendor.Address);
}
