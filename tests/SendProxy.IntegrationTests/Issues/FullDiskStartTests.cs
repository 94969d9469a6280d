using System.Net;
using System.Text;
using SendProxy.IntegrationTests.Egress;
using SendProxy.IntegrationTests.Queueing;
using SendProxy.IntegrationTests.Webhooks;

namespace SendProxy.IntegrationTests.Issues;

/// <summary>The process starts while the journal's disk is full: sends need no disk, and webhooks come back by themselves.</summary>
public sealed class FullDiskStartTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_DiskFull_SendsGoOnAndTheJournalOpensWhenThereIsSpace()
    {
        await using var disk = await SmallDisk.MountAsync(mebibytes: 4);
        Assert.SkipWhen(disk is null, "This process may not mount a small file system.");
        await using var application = await Destination.StartAsync(Cancel);
        var more = $$"""
            roles: [egress, webhooks, worker]
            journal: { path: "{{disk.Path}}/journal.db", minimum: memory, allowEphemeral: true }
            webhooks:
              sources: { sendapi: { preset: sendapi, secrets: [{ file: hook }] } }
              subscribers: { app: { url: "{{application.Address}}" } }
            """;
        await using var stage = await EgressStage.SetAsync(more: more, prepare: folder => folder.Write("hook", Vendor.Secret), listen: "adminSocket: admin.sock");
        using (var vendor = new Vendor(stage.Proxy.Address("webhooks")))
        {
            using var stored = await vendor.SendAsync(Vendor.Event(1), "msg_1", Cancel);
            Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        }

        await application.WaitForAsync(1, Cancel);
        await stage.Proxy.KillAsync();
        var filler = disk.Fill();

        await using var again = await ProxyProcess.StartAsync(stage.Folder, Cancel);
        using var client = new HttpClient { BaseAddress = again.Address("egress") };
        using var message = new StringContent(EgressStage.Sms, Encoding.UTF8, "application/json");
        using var sent = await client.PostAsync(new Uri("/v1/sms/send", UriKind.Relative), message, Cancel);
        using var hooks = new Vendor(again.Address("webhooks"));
        using var refused = await hooks.SendAsync(Vendor.Event(2), "msg_2", Cancel);
        using var ready = await client.GetAsync(new Uri(again.Address("metrics"), "/readyz"), Cancel);

        Assert.Equal(HttpStatusCode.Accepted, sent.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Contains("disk is full", await ready.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);

        File.Delete(filler);
        await again.WaitForLineAsync(l => l.Contains("\"event\":\"StoreWorks\"", StringComparison.Ordinal), Cancel);
        using var healed = await hooks.SendAsync(Vendor.Event(3), "msg_3", Cancel);
        using var readyAgain = await client.GetAsync(new Uri(again.Address("metrics"), "/readyz"), Cancel);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (healed.StatusCode, readyAgain.StatusCode));
        await application.WaitForAsync(2, Cancel);
    }

    // Nothing was ever stored, and not even the seal key has room: sends need neither.
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(2)]
    public async Task FirstStart_DiskFull_SendsGoOnAndTheKeyIsMadeWhenThereIsSpace(int pagesFree)
    {
        await using var disk = await SmallDisk.MountAsync(mebibytes: 4);
        Assert.SkipWhen(disk is null, "This process may not mount a small file system.");
        await using var application = await Destination.StartAsync(Cancel);
        var more = $$"""
            roles: [egress, webhooks, worker]
            journal: { path: "{{disk.Path}}/journal.db", minimum: memory, allowEphemeral: true }
            webhooks:
              sources: { sendapi: { preset: sendapi, secrets: [{ file: hook }] } }
              subscribers: { app: { url: "{{application.Address}}" } }
            """;
        var filler = disk.Fill();
        using (var file = File.OpenWrite(filler))
        {
            file.SetLength(file.Length - (pagesFree * 4096));
        }

        await using var stage = await EgressStage.SetAsync(more: more, prepare: folder => folder.Write("hook", Vendor.Secret), listen: "adminSocket: admin.sock");
        using var sent = await stage.SendAsync();
        using var hooks = new Vendor(stage.Proxy.Address("webhooks"));
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"StoreFails\"", StringComparison.Ordinal), Cancel);
        using var ready = await stage.Client.GetAsync(new Uri(stage.Proxy.Address("metrics"), "/readyz"), Cancel);
        using var refused = await hooks.SendAsync(Vendor.Event(1), "msg_1", Cancel);

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable), (sent.StatusCode, ready.StatusCode, refused.StatusCode));
        Assert.Contains("disk is full", await ready.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);

        File.Delete(filler);
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"StoreWorks\"", StringComparison.Ordinal), Cancel);
        using var stored = await hooks.SendAsync(Vendor.Event(2), "msg_2", Cancel);
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        await application.WaitForAsync(1, Cancel);
        Assert.Equal(0, await stage.Proxy.TerminateAsync(Cancel));

        // The key on the disk is the one that was used.
        await using var again = await ProxyProcess.StartAsync(stage.Folder, Cancel);
        using var ready2 = await stage.Client.GetAsync(new Uri(again.Address("metrics"), "/readyz"), Cancel);
        Assert.Equal(HttpStatusCode.OK, ready2.StatusCode);
    }
}
