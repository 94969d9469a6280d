using System.Net;
using System.Text;

namespace SendProxy.IntegrationTests.Webhooks;

/// <summary>From the vendor through the real process to the application.</summary>
public sealed class WebhookJourneyTests : IDisposable
{
    private const string Own = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    private readonly ProxyFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Journey_KilledWhileReceiverIsDown_DeliversEachOf100Once()
    {
        var port = Destination.ReservePort();
        Configure($"http://127.0.0.1:{port}/hooks");
        await using (var killed = await ProxyProcess.StartAsync(_folder, Cancel))
        {
            using var vendor = new Vendor(killed.Address("webhooks"));
            foreach (var chunk in Enumerable.Range(1, 100).Chunk(20))
            {
                var answers = await Task.WhenAll(chunk.Select(n => vendor.SendAsync(Vendor.Event(n), $"msg_{n}", Cancel)));
                Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
            }

            await killed.KillAsync();
        }

        await using var again = await ProxyProcess.StartAsync(_folder, Cancel);
        await using var application = await Destination.StartAsync(Cancel, port);
        await again.WaitForLinesAsync(100, IsDelivered, Cancel);
        var exit = await again.TerminateAsync(Cancel);

        var requests = application.Requests;
        Assert.Equal(0, exit);
        Assert.Equal(100, requests.Count);
        Assert.Equal(100, requests.Select(r => r.Header("webhook-id")).Distinct().Count());
        Assert.Equal(
            Enumerable.Range(1, 100).Select(n => Vendor.Event(n)).Order(StringComparer.Ordinal),
            requests.Select(r => Encoding.UTF8.GetString(r.Body)).Order(StringComparer.Ordinal));
        Assert.All(requests, r => Assert.Equal(
            Vendor.Sign(Own, r.Header("webhook-id"), r.Header("webhook-timestamp"), r.Body), r.Header("webhook-signature")));
    }

    [Fact]
    public async Task Journey_KilledInTheMiddle_LosesNothingThatWasAcknowledged()
    {
        await using var application = await Destination.StartAsync(Cancel);
        Configure(application.Address.ToString());
        var acknowledged = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        await using (var killed = await ProxyProcess.StartAsync(_folder, Cancel))
        {
            using var vendor = new Vendor(killed.Address("webhooks"));
            var some = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var sending = Enumerable.Range(1, 8).Select(async sender =>
            {
                try
                {
                    for (var n = 0; ; n++)
                    {
                        var body = Vendor.Event((sender * 1_000_000) + n);
                        var answer = await vendor.SendAsync(body, $"msg_{sender}_{n}", Cancel);
                        if (answer.StatusCode == HttpStatusCode.OK && acknowledged.TryAdd(body, true) && acknowledged.Count > 100)
                        {
                            some.TrySetResult();
                        }
                    }
                }
                catch (HttpRequestException)
                {
                    // Killed.
                }
            }).ToArray();
            await some.Task.WaitAsync(ProxyProcess.Guard, Cancel);
            await killed.KillAsync();
            await Task.WhenAll(sending);
        }

        await using var again = await ProxyProcess.StartAsync(_folder, Cancel);
        var arrived = await application.WaitForAsync(
            all => acknowledged.Keys.ToHashSet().IsSubsetOf(all.Select(r => Encoding.UTF8.GetString(r.Body))), Cancel);

        Assert.True(acknowledged.Count > 100);
        Assert.All(
            arrived.GroupBy(r => Encoding.UTF8.GetString(r.Body)),
            same => Assert.Single(same.Select(r => r.Header("webhook-id")).Distinct()));
    }

    [Fact]
    public async Task Terminate_DeliveryInFlight_IsFinishedFirst()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var application = await Destination.StartAsync(Cancel, answer: (_, _) => gate.Task);
        Configure(application.Address.ToString());
        await using var proxy = await ProxyProcess.StartAsync(_folder, Cancel);
        using var vendor = new Vendor(proxy.Address("webhooks"));
        await vendor.SendAsync(Vendor.Event(1), "msg_1", Cancel);
        await application.WaitForAsync(1, Cancel);

        proxy.Signal("-TERM");
        await proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Draining\"", StringComparison.Ordinal), Cancel);
        gate.SetResult();

        Assert.Equal(0, await proxy.WaitForExitAsync(Cancel));
        Assert.Single(proxy.Output, IsDelivered);
    }

    [Fact]
    public async Task Journey_VendorRepeats_DeliversOnceWithItsHeaders()
    {
        await using var application = await Destination.StartAsync(Cancel);
        Configure(new Uri(application.Address, "/hooks?x=1").ToString());
        await using var proxy = await ProxyProcess.StartAsync(_folder, Cancel);
        using var vendor = new Vendor(proxy.Address("webhooks"));

        var first = await vendor.SendAsync(Vendor.Event(1), "msg_1", Cancel);
        var second = await vendor.SendAsync(Vendor.Event(1), "msg_1", Cancel);
        await proxy.WaitForLineAsync(IsDelivered, Cancel);
        await proxy.TerminateAsync(Cancel);

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK], new[] { first.StatusCode, second.StatusCode });
        Assert.Contains(first.Headers.GetValues("SendProxy-Durability").Single(), new[] { "fsync", "memory" });
        var request = Assert.Single(application.Requests);
        Assert.Equal("/hooks?x=1", request.Target);
        Assert.Equal("msg_1", request.Header("SendProxy-Original-webhook-id"));
        Assert.Equal("sendapi", request.Header("SendProxy-Source"));
        Assert.Equal("1", request.Header("SendProxy-Attempt"));
        Assert.Equal("application/json", request.Header("Content-Type"));
        Assert.DoesNotContain("+4917000000", string.Join('\n', proxy.Output), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Journey_ApplicationFails_ComesAgainUnderTheSameId()
    {
        var calls = 0;
        await using var application = await Destination.StartAsync(Cancel, answer: (_, context) =>
        {
            context.Response.StatusCode = Interlocked.Increment(ref calls) == 1 ? 500 : 204;
            return Task.CompletedTask;
        });
        Configure(application.Address.ToString(), "retry: { baseDelay: 20ms }");
        await using var proxy = await ProxyProcess.StartAsync(_folder, Cancel);
        using var vendor = new Vendor(proxy.Address("webhooks"));

        await vendor.SendAsync(Vendor.Event(1), "msg_1", Cancel);
        await proxy.WaitForLineAsync(IsDelivered, Cancel);

        Assert.Equal(["1", "2"], application.Requests.Select(r => r.Header("SendProxy-Attempt")));
        Assert.Single(application.Requests.Select(r => r.Header("webhook-id")).Distinct());
    }

    [Fact]
    public async Task Journey_UnixSocket_IsDelivered()
    {
        var socket = Path.Combine(_folder.Path, "app.sock");
        await using var application = await Destination.StartUnixAsync(socket, Cancel);
        Configure($"unix:{socket}:/hooks");
        await using var proxy = await ProxyProcess.StartAsync(_folder, Cancel);
        using var vendor = new Vendor(proxy.Address("webhooks"));

        await vendor.SendAsync(Vendor.Event(1), "msg_1", Cancel);
        var requests = await application.WaitForAsync(1, Cancel);

        Assert.Equal("/hooks", requests[0].Target);
    }

    [Fact]
    public async Task Reload_NewSourceAndSubscriber_ServeWithoutRestart()
    {
        await using var first = await Destination.StartAsync(Cancel);
        await using var second = await Destination.StartAsync(Cancel);
        Configure(first.Address.ToString());
        await using var proxy = await ProxyProcess.StartAsync(_folder, Cancel);
        using var vendor = new Vendor(proxy.Address("webhooks"), "other");
        var before = await vendor.SendAsync(Vendor.Event(1), "msg_1", Cancel);

        _folder.Configure(Yaml(second.Address.ToString(), "").Replace("sendapi:", "other:", StringComparison.Ordinal));
        await proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Applied\"", StringComparison.Ordinal), Cancel);
        var after = await vendor.SendAsync(Vendor.Event(1), "msg_1", Cancel);
        await second.WaitForAsync(1, Cancel);

        Assert.Equal(HttpStatusCode.NotFound, before.StatusCode);
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.Empty(first.Requests);
    }

    [Fact]
    public async Task Start_JournalInUse_ExitsWith1AndNamesPathAndRemedy()
    {
        Configure("http://127.0.0.1:9/");
        await using var holder = await ProxyProcess.StartAsync(_folder, Cancel);

        await using var second = ProxyProcess.Launch(_folder, "serve");
        var exit = await second.WaitForExitAsync(Cancel);

        var output = string.Join('\n', second.Output);
        Assert.Equal(1, exit);
        Assert.Contains("sendproxy: The journal ", output, StringComparison.Ordinal);
        Assert.Contains($"(pid {holder.Id})", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_NothingToStore_MakesNoFile()
    {
        _folder.Configure("version: 1\nroles: [webhooks, worker]\n" + Listen);

        await using var proxy = await ProxyProcess.StartAsync(_folder, Cancel);
        using var client = new HttpClient();
        var ready = await client.GetAsync(new Uri(proxy.Address("metrics"), "/readyz"), Cancel);

        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Equal(["proxy.yaml"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Reload_Journal_IsRefusedByName()
    {
        Configure("http://127.0.0.1:9/");
        await using var proxy = await ProxyProcess.StartAsync(_folder, Cancel);

        _folder.Configure(File.ReadAllText(_folder.ConfigPath).Replace("path: j.db", "path: k.db", StringComparison.Ordinal));
        var line = await proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Refused\"", StringComparison.Ordinal), Cancel);

        Assert.Contains("journal cannot be changed while running", line, StringComparison.Ordinal);
    }

    private const string Listen = "listen: { webhooks: [\"127.0.0.1:0\"], metrics: [\"127.0.0.1:0\"] }\n";

    private static bool IsDelivered(string line) => line.Contains("\"outcome\":\"delivered\"", StringComparison.Ordinal);

    private static string Yaml(string url, string more) => $$"""
        version: 1
        roles: [webhooks, worker]
        {{Listen}}
        journal: { path: j.db, minimum: memory, allowEphemeral: true }
        webhooks:
          sources:
            sendapi: { preset: sendapi, secrets: [{ file: vendor }] }
          subscribers:
            app:
              url: "{{url}}"
              signWith: [{ file: own }]
              {{more}}
        shutdown: { drain: 2s }
        """;

    private void Configure(string url, string more = "") => _folder.Write("vendor", Vendor.Secret).Write("own", Own).Configure(Yaml(url, more));
}
