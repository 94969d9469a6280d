using System.Net;
using SendProxy.Hosting;

namespace SendProxy.Tests.Hosting;

public class Ipv6FallbackTests
{
    [Theory]
    [InlineData("[::]:4752", false, "0.0.0.0:4752")]
    [InlineData("[::1]:4750", false, null)]
    [InlineData("127.0.0.1:4750", false, "127.0.0.1:4750")]
    [InlineData("[fd00::1]:4750", false, "[fd00::1]:4750")]
    [InlineData("[::]:4752", true, "[::]:4752")]
    [InlineData("[::1]:4750", true, "[::1]:4750")]
    public void For_Endpoint_FitsTheMachine(string endpoint, bool hasIpv6, string? expected) =>
        Assert.Equal(expected, Ipv6Fallback.For(IPEndPoint.Parse(endpoint), hasIpv6)?.ToString());
}
