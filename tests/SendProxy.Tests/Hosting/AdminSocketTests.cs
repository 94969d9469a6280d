using SendProxy.Hosting;

namespace SendProxy.Tests.Hosting;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class AdminSocketTests : IDisposable
{
    private const UnixFileMode All = (UnixFileMode)0x1FF;
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-test-").FullName;

    private string Place => Path.Combine(_folder, "admin.sock");

    [Fact]
    public void Places_Written_IsTheOnlyOne() => Assert.Equal(["/run/a.sock"], AdminSocket.Places("/run/a.sock", "/data/j.db", "proxy.yaml"));

    [Fact]
    public void Places_Journal_IsBesideItThenInTheRuntimeFolder()
    {
        var places = AdminSocket.Places(null, "/data/j.db", "proxy.yaml");

        Assert.Equal(["/data/j.db.admin.sock", AdminSocket.Places(null, null, "proxy.yaml")[0]], places);
    }

    [Fact]
    public void Places_TwoConfigurations_DoNotMeet() =>
        Assert.NotEqual(AdminSocket.Places(null, null, "/a/proxy.yaml"), AdminSocket.Places(null, null, "/b/proxy.yaml"));

    [Fact]
    public void Open_Socket_IsTheOwnersOnly()
    {
        using var socket = AdminSocket.Open([Place]).Bound;

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Place));
    }

    [Fact]
    public void Open_LeftBehind_IsReplaced()
    {
        // Moved away, the file outlives the socket's orderly end, as it does a kill.
        using (AdminSocket.Open([Place + ".first"]).Bound)
        {
            File.Move(Place + ".first", Place);
        }

        using var socket = AdminSocket.Open([Place]).Bound;

        Assert.NotNull(socket);
    }

    [Fact]
    public void Open_FileThatIsNoSocket_IsLeftAlone()
    {
        File.WriteAllText(Place, "precious");

        Assert.Null(AdminSocket.Open([Place]).Bound);
        Assert.Equal("precious", File.ReadAllText(Place));
    }

    [Fact]
    public void Open_UsedByAProcess_IsLeftToIt()
    {
        using var first = AdminSocket.Open([Place]).Bound!;
        first.Listen();

        var second = AdminSocket.Open([Place]);

        Assert.Null(second.Bound);
        Assert.Contains("running process", second.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_PathTooLong_IsToldWithTheRemedy()
    {
        var socket = AdminSocket.Open([Path.Combine(_folder, new string('a', 120))]);

        Assert.Contains("listen.adminSocket", socket.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void OwnClosedFolder_OfThisUserAlone_IsTaken()
    {
        File.SetUnixFileMode(_folder, Owner);

        Assert.True(Native.IsOwnClosedFolder(_folder));
    }

    // What somebody else could prepare in a folder that everybody may write.
    [Fact]
    public void OwnClosedFolder_LinkOrOpenOrFile_IsNot()
    {
        var link = Path.Combine(_folder, "link");
        File.SetUnixFileMode(_folder, Owner);
        Directory.CreateSymbolicLink(link, _folder);
        var open = Directory.CreateDirectory(Path.Combine(_folder, "open")).FullName;
        File.SetUnixFileMode(open, All);
        File.WriteAllText(Path.Combine(_folder, "file"), "");

        Assert.All([link, open, Path.Combine(_folder, "file"), Path.Combine(_folder, "none")], p => Assert.False(Native.IsOwnClosedFolder(p)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
