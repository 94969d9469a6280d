using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using SendProxy.IntegrationTests.Egress;
using SendProxy.Sandbox.Keys;

namespace SendProxy.IntegrationTests.Cli;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public class CredentialsCommandTests
{
    private const string Other = "sk_live_other0123456789abc";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Credentials_AfterARollover_TellsTheAlarmAndTheRest()
    {
        await using var stage = await TwoKeysAsync(accepted: Other);
        using var answer = await stage.SendAsync();
        using var second = await stage.SendAsync();

        var keys = await KeysAsync(stage);

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(
            [("current", ApiKeys.Fingerprint(EgressStage.Key), "resting", 0, 1), ("next", ApiKeys.Fingerprint(Other), "ok", 2, 0)],
            keys.Select(k => (Text(k, "slot"), Text(k, "fingerprint"), Text(k, "state"), k.GetProperty("answers").GetInt32(), k.GetProperty("rejected").GetInt32())));
        Assert.Single(stage.Proxy.Output, l => l.Contains("\"event\":\"Rejected\"", StringComparison.Ordinal) && l.Contains("\"level\":\"error\"", StringComparison.Ordinal));
        Assert.Single(stage.Proxy.Output, l => l.Contains("\"event\":\"TookOver\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Credentials_RotatedFile_KeepsTheOldKeyOnTheList()
    {
        await using var stage = await EgressStage.SetAsync(vendor: new() { Keys = [EgressStage.Key, Other] });
        using var before = await stage.SendAsync();
        stage.Folder.Write("key", Other);
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Loaded\"", StringComparison.Ordinal)
            && l.Contains(ApiKeys.Fingerprint(Other), StringComparison.Ordinal), Token);
        using var after = await stage.SendAsync();

        var keys = await KeysAsync(stage);

        Assert.Equal(["current", "gone"], keys.Select(k => Text(k, "slot")));
        Assert.Equal((ApiKeys.Fingerprint(EgressStage.Key), false), (Text(keys[1], "fingerprint"), keys[1].GetProperty("safeToRevoke").GetBoolean()));
        Assert.StartsWith("accepted less than 10 min ago", Text(keys[1], "why"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_Text_IsATableWithoutKeys()
    {
        await using var stage = await EgressStage.SetAsync();
        await using var command = ProxyProcess.Launch(stage.Folder, "credentials");

        Assert.Equal(0, await command.WaitForExitAsync(Token));

        Assert.Contains(command.Output, l => l.StartsWith("UPSTREAM", StringComparison.Ordinal));
        Assert.Contains(command.Output, l => l.Contains(ApiKeys.Fingerprint(EgressStage.Key), StringComparison.Ordinal));
        Assert.DoesNotContain(command.Output, l => l.Contains(EgressStage.Key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Credentials_NoProxy_SaysSoAndExits3()
    {
        using var folder = new ProxyFolder().Configure(EgressStage.Config(new Uri("http://127.0.0.1:9"))).Write("key", EgressStage.Key);
        await using var command = ProxyProcess.Launch(folder, "credentials");

        Assert.Equal(3, await command.WaitForExitAsync(Token));

        Assert.Contains(command.Output, l => l.Contains("No proxy answers at", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Credentials_BadConfiguration_Exits2()
    {
        using var folder = new ProxyFolder().Configure("version: 9\n");
        await using var command = ProxyProcess.Launch(folder, "credentials");

        Assert.Equal(2, await command.WaitForExitAsync(Token));

        Assert.Contains(command.Output, l => l.Contains("--socket", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AdminSocket_OtherPaths_AreNotFoundThere()
    {
        await using var stage = await EgressStage.SetAsync(more: "", prepare: f => f.Configure(
            File.ReadAllText(f.ConfigPath).Replace("listen: {", "listen: { adminSocket: admin.sock,", StringComparison.Ordinal)));
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(stage.Folder.Path, "admin.sock")), token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler);

        foreach (var path in new[] { "/metrics", "/v1/sms/send", "/webhooks/sendapi", "/v1/credentials/x" })
        {
            using var answer = await client.GetAsync(new Uri($"http://admin{path}"), Token);
            Assert.Equal((HttpStatusCode.NotFound, "not_found"), (answer.StatusCode, answer.Header("SendProxy-Error")));
        }

        using var elsewhere = await stage.Client.GetAsync(new Uri("/v1/credentials", UriKind.Relative), Token);
        Assert.Equal("route_not_found", elsewhere.Header("SendProxy-Error"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(stage.Folder.Path, "admin.sock")));
    }

    private static Task<EgressStage> TwoKeysAsync(string accepted) => EgressStage.SetAsync(
        credential: "directory: keys",
        vendor: new() { Keys = [accepted] },
        prepare: folder =>
        {
            Directory.CreateDirectory(Path.Combine(folder.Path, "keys"));
            folder.Write("keys/current", EgressStage.Key).Write("keys/next", Other);
        });

    private static async Task<JsonElement[]> KeysAsync(EgressStage stage)
    {
        await using var command = ProxyProcess.Launch(stage.Folder, "credentials", "--output", "json");
        Assert.Equal(0, await command.WaitForExitAsync(Token));
        using var json = JsonDocument.Parse(string.Join('\n', command.Output));
        return [.. json.RootElement.GetProperty("credentials").Clone().EnumerateArray()];
    }

    private static string Text(JsonElement key, string name) => key.GetProperty(name).GetString()!;
}
