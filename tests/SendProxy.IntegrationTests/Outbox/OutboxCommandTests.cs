using System.Text.Json;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Outbox;

// What operators can do with stored messages, by the real commands on the real process.
public class OutboxCommandTests
{
    private const string Journal = "journal: { path: outbox.db, allowEphemeral: true, minimum: memory }\noutbox: { retry: { baseDelay: 20ms, maxDelay: 200ms }, rampUp: 0s }";
    private const string Bad = """{"from":"Shop","text":"nobody"}""";
    private static readonly (string, string) Async = ("Prefer", "respond-async");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pause_HoldsTheRoute_AndResumeLetsItGo()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        var paused = await RunAsync(stage, "pause", "sms");
        using var accepted = await stage.SendAsync(headers: Async);

        var listed = await RunAsync(stage, "list");
        var resumed = await RunAsync(stage, "resume", "sms");
        var again = await RunAsync(stage, "resume", "sms");
        var unknown = await RunAsync(stage, "pause", "smss");
        var sent = await OutboxCalls.EndAsync(stage, accepted);

        Assert.Equal((0, "The route sms is paused: 0 messages wait."), paused);
        Assert.Contains("held", listed.Output, StringComparison.Ordinal);
        Assert.Equal((0, "The route sms goes on with 1 messages."), resumed);
        Assert.Equal((0, "The route sms was not paused."), again);
        Assert.Equal(1, unknown.Code);
        Assert.Contains("There is no route", unknown.Output, StringComparison.Ordinal);
        Assert.Equal("sent", sent.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Failed_IsEditedAndReplayed()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        using var accepted = await stage.SendAsync(Bad, headers: Async);
        var failed = await OutboxCalls.EndAsync(stage, accepted);
        var id = failed.GetProperty("id").GetString()!;
        stage.Folder.Write("good.json", EgressStage.Sms);

        var counted = await RunAsync(stage, "replay", "--state", "failed", "--reason", "refused", "--dry-run");
        var edited = await RunAsync(stage, "edit", id, "--body-file", Path.Combine(stage.Folder.Path, "good.json"));
        var replayed = await RunAsync(stage, "replay", id);
        var sent = await OutboxCalls.EndAsync(stage, accepted);
        var tooLate = await RunAsync(stage, "replay", id);

        Assert.Equal((0, "1 of 1 items would be replayed."), counted);
        Assert.Equal(0, edited.Code);
        Assert.Equal((0, "1 of 1 items were replayed."), replayed);
        Assert.Equal("sent", sent.GetProperty("state").GetString());
        Assert.NotEqual(failed.GetProperty("idempotencyKey").GetString(), sent.GetProperty("idempotencyKey").GetString());
        Assert.Equal(1, tooLate.Code);
        Assert.Contains("it was sent", tooLate.Output, StringComparison.Ordinal);
        Assert.Equal(1, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Unknown_IsReplayedOnlyWithTheRiskAccepted()
    {
        await using var stage = await EgressStage.SetAsync(
            "idempotency: { carrier: none }, retry: { attempts: 1 }", Journal,
            vendor: new() { Keys = [EgressStage.Key], Idempotency = new() { Mode = Sandbox.Idempotency.IdempotencyMode.Ignored } });
        using var accepted = await stage.SendAsync(headers: [Async, ("X-Sandbox-Fault", "drop-unread;times=1")]);
        Assert.Equal("unknown", (await OutboxCalls.EndAsync(stage, accepted)).GetProperty("state").GetString());

        var refused = await RunAsync(stage, "replay", "--state", "unknown");
        var replayed = await RunAsync(stage, "replay", "--state", "unknown", "--may-send-twice", "--rate", "5");

        Assert.Contains("0 of 1 items were replayed", refused.Output, StringComparison.Ordinal);
        Assert.Equal((0, "1 of 1 items were replayed."), replayed);
        Assert.Equal("sent", (await OutboxCalls.EndAsync(stage, accepted)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Find_ByWhateverIsKnown_ShowsTheMessage()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        using var accepted = await stage.SendAsync(headers: [Async, ("SendProxy-Reference", "order-9"), ("Idempotency-Key", "key-9")]);
        using var other = await stage.SendAsync(EgressStage.Sms.Replace("+491701234567", "+491709999999", StringComparison.Ordinal), headers: Async);
        var sent = await OutboxCalls.EndAsync(stage, accepted);
        await OutboxCalls.EndAsync(stage, other);
        var id = sent.GetProperty("id").GetString()!;

        foreach (var asked in new[] { new[] { "--reference", "order-9" }, ["--key", "key-9"], ["--message-id", sent.GetProperty("messageId").GetString()!], ["--recipient", "+491701234567"] })
        {
            var (code, output) = await CommandAsync(stage, ["find", .. asked, "--output", "json"]);
            var items = JsonDocument.Parse(output).RootElement.GetProperty("items");
            Assert.Equal((0, id), (code, Assert.Single(items.EnumerateArray()).GetProperty("id").GetString()));
        }

        Assert.Equal((1, "No message is meant by this filter."), await CommandAsync(stage, ["find", "--reference", "order-10"]));
        Assert.Equal(1, (await CommandAsync(stage, ["find"])).Code);
    }

    [Fact]
    public async Task Show_TellsTheBodyOnlyWhereItIsAskedFor()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        using var accepted = await stage.SendAsync(headers: Async);
        var id = (await OutboxCalls.EndAsync(stage, accepted)).GetProperty("id").GetString()!;

        var (_, without) = await RunAsync(stage, "show", id);
        var (_, with) = await RunAsync(stage, "show", id, "--body");
        var (code, missing) = await RunAsync(stage, "show", Guid.NewGuid().ToString());

        Assert.DoesNotContain("+4917", without, StringComparison.Ordinal);
        Assert.Contains("state            sent", without, StringComparison.Ordinal);
        Assert.Contains("+491701234567", with, StringComparison.Ordinal);
        Assert.Equal(1, code);
        Assert.Contains("There is no message", missing, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_IsALineAMessage_AndPurgeEndsThem()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        for (var i = 0; i < 3; i++)
        {
            using var one = await stage.SendAsync(headers: [Async, ("SendProxy-Not-Before", "1h")]);
        }

        var (_, exported) = await RunAsync(stage, "export", "--state", "queued");
        var withoutState = await RunAsync(stage, "purge", "--route", "sms");
        var dry = await RunAsync(stage, "purge", "--state", "queued", "--dry-run");
        var purged = await RunAsync(stage, "purge", "--state", "queued");

        Assert.Equal(3, exported.Split('\n').Count(l => JsonDocument.Parse(l).RootElement.GetProperty("message").GetProperty("state").GetString() == "queued"));
        Assert.Equal(1, withoutState.Code);
        Assert.Equal((0, "3 of 3 items would be discarded."), dry);
        Assert.Equal((0, "3 of 3 items were discarded."), purged);
    }

    private static Task<(int Code, string Output)> RunAsync(EgressStage stage, params string[] arguments) => CommandAsync(stage, ["outbox", .. arguments]);

    private static Task<(int Code, string Output)> CommandAsync(EgressStage stage, string[] arguments) =>
        ProxyProcess.RunAsync(stage.Folder, [ProxyProcess.Binary, .. arguments, "--config", stage.Folder.ConfigPath], Token);
}
