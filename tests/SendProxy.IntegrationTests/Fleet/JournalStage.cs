using System.Net;
using System.Security.Cryptography;
using System.Text;
using SendProxy.IntegrationTests.Webhooks;

namespace SendProxy.IntegrationTests.Fleet;

/// <summary>Processes of different roles on one journal in Redis, before one application.</summary>
internal sealed class JournalStage(string connection, Uri application, string journal = "") : IAsyncDisposable
{
    private readonly List<ProxyFolder> _folders = [];
    private readonly List<ProxyProcess> _processes = [];
    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private readonly string _prefix = $"journal-{Guid.NewGuid():n}";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="roles">As in the configuration.</param>
    public async Task<ProxyProcess> StartAsync(string roles)
    {
        var folder = new ProxyFolder();
        _folders.Add(folder);
        folder.Write("vendor", Vendor.Secret).WriteSecret("key", _key).Configure($$"""
            version: 1
            roles: [{{roles}}]
            listen: { webhooks: "127.0.0.1:0", metrics: "127.0.0.1:0" }
            journal:
              kind: redis
              redis: { connection: "{{connection}}", keyPrefix: "{{_prefix}}" }
              sealKeys: [{ file: key }]
              {{journal}}
            webhooks:
              sources:
                sendapi: { preset: sendapi, secrets: [{ file: vendor }] }
              subscribers:
                app: { url: "{{application}}", retry: { baseDelay: 100ms, maxDelay: 1s } }
            shutdown: { drain: 2s }
            """);
        var process = await ProxyProcess.StartAsync(folder, Token);
        _processes.Add(process);
        return process;
    }

    /// <summary>Sends events until each is acknowledged, as a vendor does.</summary>
    /// <returns>Their bodies.</returns>
    public static async Task<string[]> SendAsync(ProxyProcess gateway, int first, int count)
    {
        using var vendor = new Vendor(gateway.Address("webhooks"));
        return await Task.WhenAll(Enumerable.Range(first, count).Select(async n =>
        {
            for (var tries = 0; ; tries++)
            {
                using var answer = await vendor.SendAsync(Vendor.Event(n), $"msg_{n}", Token);
                if (answer.StatusCode == HttpStatusCode.OK || tries == 300)
                {
                    Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                    return Vendor.Event(n);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Token);
            }
        }));
    }

    public static string Body(Received request) => Encoding.UTF8.GetString(request.Body);

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        _folders.ForEach(folder => folder.Dispose());
    }
}
