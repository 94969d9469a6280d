using SendProxy.Overload;

namespace SendProxy.Tests.Overload;

public sealed class CgroupMemoryTests : IDisposable
{
    private const string FirstMounts = """
        22 1 0:20 / /proc rw - proc proc rw
        30 25 0:26 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
        31 25 0:27 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
        """;

    private readonly string _root = Directory.CreateTempSubdirectory("sendproxy-cgroup-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Limit_VersionOne_IsTheGroupsOwn()
    {
        Write("proc/self/cgroup", "5:cpu:/\n4:memory:/pod/one\n");
        Write("proc/self/mountinfo", FirstMounts);
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        Write("sys/fs/cgroup/memory/pod/one/memory.limit_in_bytes", "268435456\n");

        Assert.Equal(256 << 20, CgroupMemory.Limit(_root));
    }

    [Fact]
    public void Limit_ParentHasLess_IsTheParents()
    {
        Write("proc/self/cgroup", "4:memory:/pod/one\n");
        Write("proc/self/mountinfo", FirstMounts);
        Write("sys/fs/cgroup/memory/pod/memory.limit_in_bytes", "100000000\n");
        Write("sys/fs/cgroup/memory/pod/one/memory.limit_in_bytes", "268435456\n");

        Assert.Equal(100_000_000, CgroupMemory.Limit(_root));
    }

    [Fact]
    public void Limit_VersionTwoInAContainer_IsFoundThoughThePathIsTheHosts()
    {
        Write("proc/self/cgroup", "0::/kubepods/pod1/abc\n");
        Write("proc/self/mountinfo", "30 25 0:26 /kubepods/pod1/abc /sys/fs/cgroup ro - cgroup2 cgroup rw,nsdelegate\n");
        Write("sys/fs/cgroup/memory.max", "201326592\n");

        Assert.Equal(192 << 20, CgroupMemory.Limit(_root));
    }

    [Fact]
    public void Limit_VersionTwo_WordMaxIsNone()
    {
        Write("proc/self/cgroup", "0::/user.slice/one\n");
        Write("proc/self/mountinfo", "30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        Write("sys/fs/cgroup/user.slice/one/memory.max", "max\n");

        Assert.Null(CgroupMemory.Limit(_root));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("nonsense", "30 25\n- - -")]
    [InlineData("4:memory:/one", "30 25 0:26 / /elsewhere rw - cgroup cgroup rw,memory")]
    public void Limit_NothingThatCanBeRead_IsNone(string groups, string mounts)
    {
        Write("proc/self/cgroup", groups);
        Write("proc/self/mountinfo", mounts);

        Assert.Null(CgroupMemory.Limit(_root));
    }

    [Fact]
    public void Limit_NotLinux_IsNone() => Assert.Null(CgroupMemory.Limit(_root));

    private void Write(string path, string text)
    {
        var full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
