using SendProxy.Egress.Bodies;
using SendProxy.Egress.Routing;
using SendProxy.Errors;

namespace SendProxy.Tests.Egress.Routing;

public class RouteTableTests
{
    private readonly RouteTable _table = new(
    [
        Route("special", "/v1/messages/special", null, "GET"),
        Route("messages", null, "/v1/messages/", "GET"),
        Route("sms", "/v1/sms/send", null, "POST"),
        Route("all", null, "/v1/", "POST"),
    ]);

    [Theory]
    [InlineData("POST", "/v1/sms/send", "sms")]
    [InlineData("GET", "/v1/messages/special", "special")]
    [InlineData("GET", "/v1/messages/1", "messages")]
    [InlineData("POST", "/v1/other", "all")]
    [InlineData("POST", "/v1/messages/1", "all")]
    public void Find_Match_YieldsTheFirstRoute(string method, string path, string name) =>
        Assert.Equal(name, _table.Find(method, path).Route!.Name);

    [Theory]
    [InlineData("DELETE", "/v1/sms/send", ProxyError.MethodNotAllowed)]
    [InlineData("post", "/v1/sms/send", ProxyError.MethodNotAllowed)]
    [InlineData("POST", "/v2/sms/send", ProxyError.RouteNotFound)]
    [InlineData("GET", "/v1", ProxyError.RouteNotFound)]
    [InlineData("POST", "/V1/sms/send", ProxyError.RouteNotFound)]
    public void Find_NoMatch_SaysWhy(string method, string path, object error) =>
        Assert.Equal((ProxyError)error, _table.Find(method, path).Refusal!.Error);

    [Fact]
    public void Find_OtherMethod_NamesTheAllowedOnes() => Assert.Equal("POST", _table.Find("PUT", "/v1/sms/send").Refusal!.Allow);

    // What a server reads that undoes escapes must be the same route.
    [Theory]
    [InlineData("GET", "/v1/messages/a%2Fb", "messages")]
    [InlineData("GET", "/v1/messages/a%252Fb", "messages")]
    [InlineData("GET", "/v1/messages/%7Eb", "messages")]
    [InlineData("GET", "/v1/messages/%73pecial", null)]
    [InlineData("POST", "/v1/sms%2Fsend", null)]
    [InlineData("POST", "/v1/sms/send%3Bx", null)]
    [InlineData("GET", "/v1%2Fmessages/1", null)]
    public void Find_PathWithEscapes_IsOfItsRouteInEachReading(string method, string path, string? name)
    {
        var (route, refusal) = _table.Find(method, path);

        Assert.Equal((name, name is null ? ProxyError.RequestMalformed : null), (route?.Name, refusal?.Error));
    }

    [Theory]
    [InlineData("POST", "/v1/sms/send/", "The nearest is POST /v1/sms/send (route sms)")]
    [InlineData("POST", "/V1/SMS/SEND", "The nearest is POST /v1/sms/send (route sms)")]
    [InlineData("POST", "/v1/sms/sent", "The nearest is")]
    [InlineData("GET", "/nowhere/at/all/that/is/like/any/of/them", "Routes are GET /v1/messages/special (route special); GET /v1/messages/... (route messages)")]
    public void Find_NoMatch_NamesTheNearest(string method, string path, string expected)
    {
        var table = new RouteTable([.. _table.All.Where(r => r.Name != "all")]);

        var detail = table.Find(method, path).Refusal!.Detail;

        Assert.Contains(expected, detail, StringComparison.Ordinal);
        Assert.DoesNotContain(path + " ", detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_EndlessPathAndManyRoutes_CostsLittle()
    {
        var table = new RouteTable([.. Enumerable.Range(0, 1000).Select(i => Route($"r{i}", "/" + new string('a', 1000) + i, null, "GET"))]);

        Assert.InRange(table.Find("GET", "/" + new string('b', 60_000)).Refusal!.Detail.Length, 1, 10_000);
    }

    private static EgressRoute Route(string name, string? path, string? prefix, params string[] methods) =>
        new(new EgressRouteOptions(name, methods, path, prefix, "sendapi", [], null, false, new IdempotencyKeyOptions(false, null, null), null, new BodyLimits(1024, 0, null)), null!, SendProxy.Sending.RateLimiting.Priorities.LaneTable.Default, new RequestChecks());
}
