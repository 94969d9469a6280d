using System.Net;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Server;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Demo;

/// <summary>Everyone who takes part: the vendor, the proxy, the application, and the folder between them.</summary>
internal sealed class DemoStage : IAsyncDisposable
{
    private DemoStage(DemoFolder folder, SandboxServer vendor, DemoApplication application, DemoProxy proxy)
    {
        (Folder, Vendor, Application, Proxy) = (folder, vendor, application, proxy);
        Client = new HttpClient { BaseAddress = proxy.Egress };
    }

    private readonly List<string> _linesBefore = [];

    public DemoFolder Folder { get; }

    public SandboxServer Vendor { get; }

    public DemoApplication Application { get; }

    public DemoProxy Proxy { get; private set; }

    /// <summary>Everything that it printed, also before it was killed.</summary>
    public IEnumerable<string> ProxyLines => _linesBefore.Concat(Proxy.Lines);

    /// <summary>The application's: it knows the proxy's address and no key.</summary>
    public HttpClient Client { get; private set; }

    public static async Task<DemoStage> SetAsync(Breakage breakage, string binary, CancellationToken cancellation)
    {
        var folder = new DemoFolder();
        SandboxServer? vendor = null;
        DemoApplication? application = null;
        try
        {
            vendor = await SandboxServer.StartAsync(new SandboxOptions
            {
                Https = new IPEndPoint(IPAddress.Loopback, 0),
                Keys = [folder.Key],
                // Some tolerance: a busy machine bunches what was paced evenly.
                Limits = [new LimitOptions { Kind = LimitKind.TokenBucket, Requests = DemoFolder.PlanPerSecond, Burst = DemoFolder.PlanPerSecond / 2 }],
            }, TimeProvider.System, cancellation);
            application = await DemoApplication.StartAsync(folder.AppSecret, cancellation);
            folder.Write(vendor.HttpsAddress!, vendor.AuthorityPem, application.Address, breakage);
            var proxy = await DemoProxy.StartAsync(binary, folder.ConfigFile, cancellation);
            vendor.Webhooks.Target = new WebhookTarget(new Uri(proxy.Webhooks, "/webhooks/sendapi"), WebhookTarget.DefaultSecret);
            return new DemoStage(folder, vendor, application, proxy);
        }
        catch
        {
            await (vendor?.DisposeAsync() ?? default);
            await (application?.DisposeAsync() ?? default);
            folder.Dispose();
            throw;
        }
    }

    /// <summary>SIGKILL, and another process on the same folder.</summary>
    public async Task KillAndRestartProxyAsync(string binary, CancellationToken cancellation)
    {
        await Proxy.KillAsync();
        _linesBefore.AddRange(Proxy.Lines);
        await Proxy.DisposeAsync();
        Proxy = await DemoProxy.StartAsync(binary, Folder.ConfigFile, cancellation);
        Client.Dispose();
        Client = new HttpClient { BaseAddress = Proxy.Egress };
        Vendor.Webhooks.Target = new WebhookTarget(new Uri(Proxy.Webhooks, "/webhooks/sendapi"), WebhookTarget.DefaultSecret);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Proxy.DisposeAsync();
        await Vendor.DisposeAsync();
        await Application.DisposeAsync();
        Folder.Dispose();
    }
}
