using SendProxy.Secrets;

namespace SendProxy.Tests.Secrets;

public class MountInfoTests
{
    // A secret mounted whole at /run/secrets/sendapi, one key by subPath, one with a space in its path.
    private const string Text = """
        22 27 0:21 / /proc rw,nosuid shared:12 - proc proc rw
        812 799 0:131 / /run/secrets/sendapi ro,relatime - tmpfs tmpfs rw,size=64k
        813 799 0:132 /..2026_11_24/key /etc/app/key ro,relatime - tmpfs tmpfs rw,size=64k
        814 799 0:132 /key /etc/my\040app/key ro,relatime - tmpfs tmpfs rw
        short line
        """;

    [Theory]
    [InlineData("/etc/app/key", true)]
    [InlineData("/etc/app/../app/key", true)]
    [InlineData("/etc/my app/key", true)]
    [InlineData("/run/secrets/sendapi/key", false)]
    [InlineData("/etc/app/key2", false)]
    [InlineData("/etc/app", false)]
    public void MountPoints_Path_IsOneOnlyWhereItIsMountedItself(string path, bool expected) =>
        Assert.Equal(expected, MountInfo.MountPoints(Text, [path]).Count == 1);

    [Fact]
    public void MountPoints_OfThisMachine_KnowsTheRoot() =>
        Assert.Equal(["/proc"], MountInfo.MountPoints(["/proc", "/proc/self/status"]));

    [Fact]
    public void Reading_Printed_TellsNoSecret() =>
        Assert.DoesNotContain("sk_live_", new SecretReading(SecretSlot.Current, SecretState.Ok, "sk_live_12345678").ToString(), StringComparison.Ordinal);
}
