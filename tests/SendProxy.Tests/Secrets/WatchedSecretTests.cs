using System.Text.RegularExpressions;
using SendProxy.Configuration;
using SendProxy.Secrets;

namespace SendProxy.Tests.Secrets;

public sealed partial class WatchedSecretTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-test-").FullName;
    private readonly SecretMetrics _metrics = new(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));

    private string Key => Path.Combine(_folder, "key");

    [Theory]
    [InlineData("sk_live_12345678", "sk_live_12345678")]
    [InlineData("sk_live_12345678\n", "sk_live_12345678")]
    [InlineData("sk_live_12345678\r\n", "sk_live_12345678")]
    [InlineData("\uFEFFsk_live_12345678\n", "sk_live_12345678")]
    public void Start_GoodFile_IsTakenWithoutItsLineEnd(string content, string expected)
    {
        File.WriteAllText(Key, content);

        Assert.True(Watch().Set.Current!.FixedTimeEquals(expected));
    }

    [Theory]
    [InlineData("", SecretState.Empty)]
    [InlineData("\n\n", SecretState.Empty)]
    [InlineData("sk_live_12345678\nsk_live_87654321", SecretState.SeveralLines)]
    [InlineData("pk_live_12345678", SecretState.Malformed)]
    [InlineData("sk_live_1", SecretState.Malformed)]
    [InlineData("sk_test_12345678", SecretState.TestKey)]
    public void Start_BadFile_IsNamedAndNotUsed(string content, object state)
    {
        File.WriteAllText(Key, content);
        var watched = Watch();

        Assert.Equal((SecretState)state, watched.State);
        Assert.Null(watched.Set.Current);
    }

    [Fact]
    public void Start_NoFile_IsMissing() => Assert.Equal(SecretState.Missing, Watch().State);

    [Fact]
    public void Start_LargeFile_IsTooLarge()
    {
        File.WriteAllText(Key, new string('a', 20_000));

        Assert.Equal(SecretState.TooLarge, Watch().State);
    }

    [Fact]
    public void Poll_NewValue_IsTakenAtTheSecondLook()
    {
        File.WriteAllText(Key, "sk_live_12345678");
        var watched = Watch();
        File.WriteAllText(Key, "sk_live_87654321");

        Assert.Null(watched.Poll());
        Assert.True(watched.Set.Current!.FixedTimeEquals("sk_live_12345678"));
        Assert.Equal(SecretState.Ok, watched.Poll()!.State);
        Assert.True(watched.Set.Current!.FixedTimeEquals("sk_live_87654321"));
        Assert.Null(watched.Poll());
    }

    [Fact]
    public void Poll_HalfWrittenValue_IsNeverTaken()
    {
        File.WriteAllText(Key, "sk_live_12345678");
        var watched = Watch();
        File.WriteAllText(Key, "sk_live_876543");
        watched.Poll();
        File.WriteAllText(Key, "sk_live_87654321");
        watched.Poll();

        Assert.True(watched.Set.Current!.FixedTimeEquals("sk_live_12345678"));
        watched.Poll();
        Assert.True(watched.Set.Current!.FixedTimeEquals("sk_live_87654321"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData(null)]
    public void Poll_BadValue_KeepsTheOldOne(string? content)
    {
        File.WriteAllText(Key, "sk_live_12345678");
        var watched = Watch();
        if (content is null)
        {
            File.Delete(Key);
        }
        else
        {
            File.WriteAllText(Key, content);
        }

        watched.Poll();
        var change = watched.Poll();

        Assert.True(change!.KeptOld);
        Assert.True(watched.Set.Current!.FixedTimeEquals("sk_live_12345678"));
        Assert.Null(watched.Poll());
    }

    [Fact]
    public void Poll_ValueThatChangesAtEachLook_IsTakenWithinTheBound()
    {
        File.WriteAllText(Key, "sk_live_12345678");
        var watched = Watch();

        for (var i = 1; i <= ContentSettling.MaxUnsettledLooks; i++)
        {
            Assert.True(watched.Set.Current!.FixedTimeEquals("sk_live_12345678"));
            File.WriteAllText(Key, $"sk_live_{i:00000000}");
            watched.Poll();
        }

        Assert.True(watched.Set.Current!.FixedTimeEquals("sk_live_00000010"));
    }

    [Fact]
    public void Poll_KubernetesSwap_TakesAllSlotsOfOneGeneration()
    {
        Generation("..1", ("current", "sk_live_11111111"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "..data"), "..1");
        var watched = new WatchedSecret("test", new SecretDirectory(_folder), Form, _metrics, TimeProvider.System);
        Generation("..2", ("current", "sk_live_22222222"), ("previous", "sk_live_11111111"), ("next", "sk_live_33333333"));
        var first = watched.Set.Current;

        Directory.CreateSymbolicLink(Path.Combine(_folder, "..tmp"), "..2");
        Rename("..tmp", "..data");
        watched.Poll();
        watched.Poll();

        Assert.True(watched.Set.Current!.FixedTimeEquals("sk_live_22222222"));
        Assert.True(watched.Set.Next!.FixedTimeEquals("sk_live_33333333"));
        Assert.Same(first, watched.Set.Previous);
    }

    [Fact]
    public void Secret_ToString_TellsNothing() => Assert.Equal("***", $"{new Secret("sk_live_12345678")}");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static SecretFormat Form => new(Live(), Test(), AllowTest: false);

    private WatchedSecret Watch() => new("test", new SecretFile(Key), Form, _metrics, TimeProvider.System);

    // rename(2) over a link, as kubelet does; File.Move follows the link.
    private void Rename(string from, string to) =>
        System.Diagnostics.Process.Start("mv", ["-T", Path.Combine(_folder, from), Path.Combine(_folder, to)]).WaitForExit();

    private void Generation(string name, params (string File, string Text)[] files)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        foreach (var (file, text) in files)
        {
            File.WriteAllText(Path.Combine(folder, file), text);
        }
    }

    [GeneratedRegex("^sk_live_[a-z0-9]{8,}$")]
    private static partial Regex Live();

    [GeneratedRegex("^sk_test_[a-z0-9]{8,}$")]
    private static partial Regex Test();
}
