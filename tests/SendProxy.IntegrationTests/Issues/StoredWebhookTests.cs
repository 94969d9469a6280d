using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using SendProxy.IntegrationTests.Webhooks;

namespace SendProxy.IntegrationTests.Issues;

/// <summary>What is stored can be seen by a person and brought out again, and a seal key is rotated without a loss.</summary>
public sealed class StoredWebhookTests : IDisposable
{
    private readonly ProxyFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Webhooks_DeadDelivery_IsListedShownCountedAndReplayed()
    {
        var status = StatusCodes.Status500InternalServerError;
        await using var application = await Destination.StartAsync(Cancel, answer: (_, context) =>
        {
            context.Response.StatusCode = Volatile.Read(ref status);
            return Task.CompletedTask;
        });
        Configure(application.Address, "retry: { for: 1s, baseDelay: 100ms, maxDelay: 200ms }");
        await using var proxy = await ProxyProcess.StartAsync(_folder, Cancel);
        await ReceiveAsync(proxy, 2);
        await proxy.WaitForLinesAsync(2, l => l.Contains("\"dead\":true", StringComparison.Ordinal), Cancel);

        var listed = await CommandAsync(0, "webhooks", "list");
        Assert.Contains(listed, l => l.StartsWith("ID", StringComparison.Ordinal) && l.Contains("SUBSCRIBER", StringComparison.Ordinal));
        Assert.Equal(2, listed.Count(l => l.Contains("dead", StringComparison.Ordinal) && l.Contains("message.delivered", StringComparison.Ordinal) && l.Contains("500", StringComparison.Ordinal)));
        Assert.DoesNotContain(listed, l => l.Contains("+49", StringComparison.Ordinal));

        var items = (await JsonAsync("webhooks", "list", "--state", "dead", "--source", "sendapi", "--output", "json")).GetProperty("items");
        var id = items[0].GetProperty("id").GetString()!;
        Assert.Equal(2, items.GetArrayLength());
        Assert.Empty((await JsonAsync("webhooks", "list", "--source", "another", "--output", "json")).GetProperty("items").EnumerateArray());

        Assert.DoesNotContain(await CommandAsync(0, "webhooks", "show", id), l => l.Contains("+49", StringComparison.Ordinal));
        Assert.Contains(await CommandAsync(0, "webhooks", "show", id, "--body"), l => l.Contains("\"to\":\"+4917000000\"", StringComparison.Ordinal));
        Assert.Contains(await CommandAsync(1, "webhooks", "show", Guid.NewGuid().ToString()), l => l.Contains("There is no stored webhook item", StringComparison.Ordinal));

        Assert.Contains(await CommandAsync(0, "webhooks", "replay", "--state", "dead", "--dry-run"), l => l.StartsWith("2 of 2 items would be replayed", StringComparison.Ordinal));
        Assert.Equal(2, (await JsonAsync("webhooks", "list", "--state", "dead", "--output", "json")).GetProperty("items").GetArrayLength());

        Volatile.Write(ref status, StatusCodes.Status200OK);
        Assert.Contains(await CommandAsync(0, "webhooks", "replay", id), l => l.StartsWith("1 of 1 items were replayed", StringComparison.Ordinal));
        await proxy.WaitForLinesAsync(1, IsDelivered, Cancel);
        Assert.Contains(await CommandAsync(0, "webhooks", "discard", "--state", "dead", "--subscriber", "app"), l => l.StartsWith("1 of 1 items were discarded", StringComparison.Ordinal));
        Assert.Contains(await CommandAsync(1, "webhooks", "replay", id), l => l.Contains("it was delivered", StringComparison.Ordinal));
        Assert.Contains(await CommandAsync(1, "webhooks", "replay"), l => l.Contains("Say what to replay", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Webhooks_HeldBehindASubscriberThatIsGone_AreReleasedByHand()
    {
        var status = StatusCodes.Status410Gone;
        await using var application = await Destination.StartAsync(Cancel, answer: (_, context) =>
        {
            context.Response.StatusCode = Volatile.Read(ref status);
            return Task.CompletedTask;
        });
        Configure(application.Address, "concurrency: 1");
        await using var proxy = await ProxyProcess.StartAsync(_folder, Cancel);
        await ReceiveAsync(proxy, 1);
        await proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Gone\"", StringComparison.Ordinal), Cancel);
        await ReceiveAsync(proxy, 3);

        Volatile.Write(ref status, StatusCodes.Status200OK);
        var replayed = await CommandAsync(0, "webhooks", "replay", "--state", "held", "--subscriber", "app");

        Assert.Contains(replayed, l => l.Contains("The hold of subscriber app was lifted", StringComparison.Ordinal));
        await proxy.WaitForLinesAsync(2, IsDelivered, Cancel);
    }

    [Fact]
    public async Task JournalKeys_WhileAKeyIsRotated_SayWhenTheOldOneMayGo()
    {
        var port = Destination.ReservePort();
        var (old, current) = (WriteKey("old.key"), WriteKey("new.key"));
        var address = new Uri($"http://127.0.0.1:{port}/");
        Configure(address, "concurrency: 1", "sealKeys: [{ file: old.key }]");
        await using (var before = await ProxyProcess.StartAsync(_folder, Cancel))
        {
            await ReceiveAsync(before, 3);

            // What becomes of an event after the restart is sealed with the new key: here all of it is to need the old one.
            while ((await JsonAsync("webhooks", "list", "--state", "queued", "--subscriber", "app", "--output", "json")).GetProperty("items").GetArrayLength() < 3)
            {
                Cancel.ThrowIfCancellationRequested();
            }

            Assert.Equal(0, await before.TerminateAsync(Cancel));
        }

        // The wrong way: the old key is taken away at once.
        Configure(address, "concurrency: 1", "sealKeys: [{ file: new.key }]");
        await using (var refused = ProxyProcess.Launch(_folder, "serve"))
        {
            Assert.Equal(1, await refused.WaitForExitAsync(Cancel));
            Assert.Contains(refused.Output, l => l.Contains(old, StringComparison.Ordinal) && l.Contains("journal.sealKeys", StringComparison.Ordinal));
        }

        // The right way: the new one in front of it.
        Configure(address, "concurrency: 1", "sealKeys: [{ file: new.key }, { file: old.key }]");
        await using var proxy = await ProxyProcess.StartAsync(_folder, Cancel);
        var needed = (await JsonAsync("journal", "keys", "--output", "json")).GetProperty("keys");
        Assert.Equal((current, true, 0), (Text(needed[0], "id"), needed[0].GetProperty("seals").GetBoolean(), needed[0].GetProperty("items").GetInt32()));
        Assert.Equal((old, false, false), (Text(needed[1], "id"), needed[1].GetProperty("seals").GetBoolean(), needed[1].GetProperty("safeToRemove").GetBoolean()));
        Assert.True(needed[1].GetProperty("items").GetInt32() >= 3);

        await using var application = await Destination.StartAsync(Cancel, port);
        await proxy.WaitForLinesAsync(3, IsDelivered, Cancel);
        Assert.Contains(await CommandAsync(0, "journal", "keys"), l => l.StartsWith(old, StringComparison.Ordinal) && l.Contains("yes: nothing needs it", StringComparison.Ordinal));
    }

    private static bool IsDelivered(string line) =>
        line.Contains("\"event\":\"delivery\"", StringComparison.Ordinal) && line.Contains("\"outcome\":\"delivered\"", StringComparison.Ordinal);

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static async Task ReceiveAsync(ProxyProcess proxy, int events)
    {
        using var vendor = new Vendor(proxy.Address("webhooks"));
        for (var n = 1; n <= events; n++)
        {
            using var answer = await vendor.SendAsync(Vendor.Event(n), $"msg_{n}", Cancel);
            answer.EnsureSuccessStatusCode();
        }
    }

    private string WriteKey(string name)
    {
        var key = RandomNumberGenerator.GetBytes(32);
        _folder.Write(name, Convert.ToBase64String(key));
        return Convert.ToHexStringLower(SHA256.HashData(key)[..8]);
    }

    private void Configure(Uri subscriber, string more, string journal = "") => _folder.Write("hook", Vendor.Secret).Configure($$"""
        version: 1
        roles: [webhooks, worker]
        listen: { webhooks: 127.0.0.1:0, metrics: 127.0.0.1:0, adminSocket: admin.sock }
        journal: { path: journal.db, minimum: memory, allowEphemeral: true{{(journal.Length > 0 ? ", " : "")}}{{journal}} }
        webhooks:
          sources: { sendapi: { preset: sendapi, secrets: [{ file: hook }] } }
          subscribers: { app: { url: "{{subscriber}}", {{more}} } }
        """);

    private async Task<IReadOnlyList<string>> CommandAsync(int exitCode, params string[] command)
    {
        await using var process = ProxyProcess.Launch(_folder, command);
        var code = await process.WaitForExitAsync(Cancel);
        Assert.True(exitCode == code, $"exit code {code}:\n{string.Join('\n', process.Output)}");
        return process.Output;
    }

    private async Task<JsonElement> JsonAsync(params string[] command)
    {
        using var json = JsonDocument.Parse(string.Join('\n', await CommandAsync(0, command)));
        return json.RootElement.Clone();
    }
}
