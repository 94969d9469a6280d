using System.Threading.Channels;
using SendProxy.Redis;
using SendProxy.Secrets;

namespace SendProxy.Tests.Redis;

public class RedisLinkTests
{
    private static readonly RedisScript One = new("one", "return 1");
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Run_NothingListens_HasNoResultAndIsSparedTheNextTime()
    {
        await using var link = LinkUnderTest.Create("127.0.0.1:1", TimeSpan.FromMilliseconds(50));
        link.Start();

        Assert.Null((await link.RunAsync(One, "k", [])).Result);
        Assert.Null((await link.RunAsync(One, "k", [])).Result);
        Assert.False(link.IsUp);
    }

    [Fact]
    public async Task Run_PausedServer_IsLateOnceThenSparedThenHealsByItself()
    {
        await using var server = await OwnAsync();
        await using var link = LinkUnderTest.Create(server.Address, TimeSpan.FromMilliseconds(500));
        var ups = Ups(link);
        link.Start();
        await NextAsync(ups);
        Assert.NotNull((await link.RunAsync(One, "k", [])).Result);

        server.Pause();
        var late = await link.RunAsync(One, "k", []);
        var spared = await link.RunAsync(One, "k", []);
        server.Resume();
        await NextAsync(ups);

        Assert.Equal((true, true), (late.Result is null, late.MayHaveRun));
        Assert.Equal((true, false), (spared.Result is null, spared.MayHaveRun));
        Assert.True(link.IsUp);
    }

    [Fact]
    public async Task Run_ServerThatRefuses_HasNoResultAndStaysUp()
    {
        await using var server = await OwnAsync();
        await using var link = LinkUnderTest.Create(server.Address);
        link.Start();
        Assert.NotNull((await link.RunAsync(One, "k", [])).Result);

        var refused = await link.RunAsync(new RedisScript("bad", "return redis.call('NOSUCH')"), "k", []);

        Assert.Equal((true, true, true), (refused.Result is null, !refused.MayHaveRun, link.IsUp));
    }

    [Fact]
    public async Task Run_ScriptsForgottenByTheServer_AreSentAgain()
    {
        await using var server = await OwnAsync();
        await using var link = LinkUnderTest.Create(server.Address);
        link.Start();
        Assert.NotNull((await link.RunAsync(One, "k", [])).Result);

        await server.Database.ExecuteAsync("SCRIPT", "FLUSH");

        Assert.NotNull((await link.RunAsync(One, "k", [])).Result);
    }

    [Fact]
    public async Task Connect_PasswordChanged_IsUsedAtTheNextConnect()
    {
        await using var server = await OwnAsync("second-password");
        var (source, secrets) = (new ChangingSecret("first-password"), LinkUnderTest.Secrets());
        await using var link = LinkUnderTest.Create(server.Address, password: source, secrets: secrets);
        var ups = Ups(link);
        link.Start();
        await link.RunAsync(One, "k", []);
        Assert.False(link.IsUp);

        source.Text = "second-password";
        secrets.PollAll();
        secrets.PollAll();
        await NextAsync(ups);

        Assert.NotNull((await link.RunAsync(One, "k", [])).Result);
    }

    private static async Task<RedisServer> OwnAsync(string? password = null)
    {
        var server = await RedisServer.TryStartAsync(password);
        if (server?.IsOwn != true)
        {
            Assert.Skip("It needs a redis-server of its own to pause.");
        }

        return server;
    }

    private static ChannelReader<bool> Ups(RedisLink link)
    {
        var ups = Channel.CreateUnbounded<bool>();
        link.WhenUp(() => ups.Writer.WriteAsync(true).AsTask());
        return ups.Reader;
    }

    private static async Task NextAsync(ChannelReader<bool> ups) =>
        await ups.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Guard, TestContext.Current.CancellationToken);

    private sealed class ChangingSecret(string text) : ISecretSource
    {
        public string Text { get; set; } = text;

        public string Place => "test";

        public IReadOnlyList<SecretReading> Read() => [new(SecretSlot.Current, SecretState.Ok, Text)];
    }
}
