using System.Net;
using System.Net.Sockets;
using System.Text;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Egress;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class UnixSocketTests : IAsyncLifetime
{
    private readonly ProxyFolder _folder = new();
    private SandboxServer _vendor = null!;

    private string Socket => Path.Combine(_folder.Path, "egress.sock");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _vendor = await SandboxServer.StartAsync(new SandboxOptions { Keys = [EgressStage.Key] }, TimeProvider.System, Token);

    public async ValueTask DisposeAsync()
    {
        await _vendor.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Send_OverTheSocket_ArrivesWithTheUsualHost()
    {
        await using var proxy = await StartAsync();

        using var answer = await SendAsync("localhost");

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(1, _vendor.Ledger.Effects);
    }

    [Theory]
    [InlineData("evil.example", "", "", "host_not_allowed")]
    [InlineData("localhost", "Origin", "null", "browser_refused")]
    [InlineData("localhost", "Upgrade", "websocket", "protocol_unsupported")]
    public async Task Send_OverTheSocket_SkipsNoCheck(string host, string name, string value, string code)
    {
        await using var proxy = await StartAsync();

        using var answer = await SendAsync(host, name, value);

        Assert.Equal(code, answer.Header("SendProxy-Error"));
        Assert.Equal(0, _vendor.Requests.Arrived);
    }

    [Theory]
    [InlineData("", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite)]
    [InlineData(", socketMode: 0600", UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    public async Task Start_SocketMode_IsTheFiles(string setting, UnixFileMode mode)
    {
        await using var proxy = await StartAsync(setting);

        Assert.Equal(mode, File.GetUnixFileMode(Socket));
    }

    [Fact]
    public async Task Start_AfterKill_TakesTheStaleSocketOver()
    {
        var killed = await StartAsync();
        await killed.DisposeAsync();
        Assert.True(File.Exists(Socket));

        await using var proxy = await StartAsync();

        using var answer = await SendAsync("localhost");
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    [Fact]
    public async Task Start_SocketOfARunningProcess_IsRefusedAndLeftAlone()
    {
        await using var proxy = await StartAsync();
        using var second = new ProxyFolder();
        second.Configure(Config("")).Write("key", EgressStage.Key);

        await using var refused = ProxyProcess.Launch(second, "serve");

        Assert.Equal(1, await refused.WaitForExitAsync(Token));
        Assert.Contains(refused.Output, l => l.Contains($"unix:{Socket} cannot be bound", StringComparison.Ordinal));
        using var answer = await SendAsync("localhost");
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    [Fact]
    public async Task Start_FileThatIsNoSocket_IsNotDeleted()
    {
        File.WriteAllText(Socket, "precious");
        _folder.Configure(Config("")).Write("key", EgressStage.Key);

        await using var refused = ProxyProcess.Launch(_folder, "serve");

        Assert.Equal(1, await refused.WaitForExitAsync(Token));
        Assert.Equal("precious", File.ReadAllText(Socket));
    }

    [Fact]
    public async Task Start_NoSuchDirectory_SaysSo()
    {
        _folder.Configure(Config("").Replace("egress.sock", "nowhere/egress.sock", StringComparison.Ordinal)).Write("key", EgressStage.Key);

        await using var refused = ProxyProcess.Launch(_folder, "serve");

        Assert.Equal(1, await refused.WaitForExitAsync(Token));
        Assert.Contains(refused.Output, l => l.Contains("nowhere of unix:", StringComparison.Ordinal) && l.Contains("does not exist", StringComparison.Ordinal));
    }

    private async Task<ProxyProcess> StartAsync(string setting = "")
    {
        _folder.Configure(Config(setting)).Write("key", EgressStage.Key);
        return await ProxyProcess.StartAsync(_folder, Token);
    }

    private string Config(string setting) =>
        EgressStage.Config(_vendor.HttpAddress!).Replace("egress: [\"127.0.0.1:0\"]", $"egress: [\"unix:{Socket}\"]{setting}", StringComparison.Ordinal);

    private async Task<HttpResponseMessage> SendAsync(string host, string name = "", string value = "")
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{host}/v1/sms/send");
        request.Content = new StringContent(EgressStage.Sms, Encoding.UTF8, "application/json");
        if (name.Length > 0)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var answer = await client.SendAsync(request, Token);
        await answer.Content.LoadIntoBufferAsync(Token);
        return answer;
    }
}
