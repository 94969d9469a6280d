using SendProxy.Sqlite;

namespace SendProxy.Tests.Sqlite;

public class FileSystemsTests
{
    // Form: proc_pid_mountinfo(5). A pod: overlay root, a volume, its tmpfs secret, a network volume, one of odd name.
    private const string Pod = """
        1 0 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/a:/b
        2 1 8:16 / /data rw,relatime shared:7 - ext4 /dev/sdb rw
        3 1 0:51 / /run/secrets rw,relatime - tmpfs tmpfs rw
        4 1 0:52 / /mnt/efs rw,relatime - nfs4 10.0.0.1:/ rw
        5 1 8:32 / /mnt/with\040space rw - xfs /dev/sdc rw
        6 2 0:53 / /data/covered rw - ext4 /dev/sdd rw
        7 2 0:54 / /data/covered rw - tmpfs tmpfs rw
        a broken line
        8 1 0:55 / /data2 rw - fuse.gcsfuse bucket rw
        """;

    [Theory]
    [InlineData("/var/lib/app", "/", "overlay", false)]
    [InlineData("/data", "/data", "ext4", true)]
    [InlineData("/data/deep/er", "/data", "ext4", true)]
    [InlineData("/database", "/", "overlay", false)]
    [InlineData("/run/secrets/x", "/run/secrets", "tmpfs", false)]
    [InlineData("/mnt/efs/x", "/mnt/efs", "nfs4", false)]
    [InlineData("/mnt/with space/x", "/mnt/with space", "xfs", true)]
    [InlineData("/data/covered/x", "/data/covered", "tmpfs", false)]
    [InlineData("/data2/x", "/data2", "fuse.gcsfuse", false)]
    public void Judge_PathInAPod_FindsItsMountAndWhetherItKeeps(string path, string point, string type, bool durable) =>
        Assert.Equal(new FileSystemVerdict(point, type, durable), FileSystems.Judge(Pod, path));

    [Fact]
    public void Judge_NothingKnown_IsNotDurable() => Assert.False(FileSystems.Judge("", "/data").Durable);

    [Fact]
    public void Find_ThroughASymbolicLink_JudgesWhereItLeads()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "Needs Linux with a tmpfs.");
        var directory = Directory.CreateTempSubdirectory("sendproxy-link").FullName;
        Directory.CreateSymbolicLink(Path.Combine(directory, "link"), "/dev/shm");

        var verdict = FileSystems.Find(Path.Combine(directory, "link"));

        Directory.Delete(directory, recursive: true);
        Assert.Equal(("tmpfs", false), (verdict.Type, verdict.Durable));
    }
}
