using System.Text.Json;

namespace SendProxy.IntegrationTests.Fleet;

// May the old key be revoked? The answer is the fleet's, from any process of it.
public class FleetCredentialsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Credentials_KeyUsedByAnotherProcess_IsKnownHere()
    {
        await using var stage = await FleetStage.SetAsync(["", ""]);
        using var sent = await stage.SendAsync(0, "order-1");
        using var guard = CancellationTokenSource.CreateLinkedTokenSource(Token);
        guard.CancelAfter(ProxyProcess.Guard);

        // Each asking takes a process: the exchange comes every few seconds.
        var known = await AskAsync(stage, 1);
        while (known.LastAccepted is null)
        {
            guard.Token.ThrowIfCancellationRequested();
            known = await AskAsync(stage, 1);
        }

        Assert.Equal(("fleet", 0L), (known.Scope, known.Answers));
    }

    private static async Task<(string? Scope, string? LastAccepted, long Answers)> AskAsync(FleetStage stage, int proxy)
    {
        await using var command = ProxyProcess.Launch(stage.Folder(proxy), "credentials", "--output", "json");
        Assert.Equal(0, await command.WaitForExitAsync(Token));
        using var json = JsonDocument.Parse(string.Join('\n', command.Output));
        var key = json.RootElement.GetProperty("credentials")[0];
        return (json.RootElement.GetProperty("scope").GetString(), key.GetProperty("lastAcceptedAt").GetString(), key.GetProperty("answers").GetInt64());
    }
}
