using System.Net;
using SendProxy.Hosting;
using SendProxy.Overload;

namespace SendProxy.Tests.Hosting;

public class ListenOptionsTests
{
    // What Reload must tell apart: every part counts, and lists by what is in them.
    [Fact]
    public void Same_EachPart_Counts()
    {
        Assert.True(Options().Same(Options()));
        Assert.All(
            (ListenOptions[])[
                Options() with { Egress = [Tcp(2)] }, Options() with { Webhooks = [] }, Options() with { Metrics = [Tcp(3), Tcp(4)] },
                Options() with { AdminSocket = "/b" }, Options() with { HeadersTimeout = TimeSpan.FromSeconds(2) }, Options() with { SocketMode = UnixFileMode.UserRead }, Options() with { MaxTarget = 1 },
                Options() with { Connections = new(1, 2, 3, 5) }, Options() with { Rates = new(2, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)) }],
            changed => Assert.False(Options().Same(changed)));
    }

    private static ListenOptions Options() =>
        new([Tcp(1), new ListenAddress(null, "/a.sock")], [Tcp(2)], [Tcp(3)], "/a", TimeSpan.FromSeconds(1), UnixFileMode.UserWrite, 8192,
            new ConnectionOptions(1, 2, 3, 4), new DataRateOptions(1, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));

    private static ListenAddress Tcp(int port) => new(new IPEndPoint(IPAddress.Loopback, port), null);
}
