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

    private static EgressRoute Route(string name, string? path, string? prefix, params string[] methods) =>
        new(new EgressRouteOptions(name, methods, path, prefix, "sendapi", [], null, false, new IdempotencyKeyOptions(false, null, null), null, new BodyLimits(1024, 0, null)), null!, null, SendProxy.Sending.RateLimiting.Priorities.LaneTable.Default, null);
}
