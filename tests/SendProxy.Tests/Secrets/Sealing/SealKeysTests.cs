using System.Security.Cryptography;
using System.Text;
using SendProxy.Secrets.Sealing;

namespace SendProxy.Tests.Secrets.Sealing;

public sealed class SealKeysTests : IDisposable
{
    // Known text, so that a search for it in messages means something. No 32-byte key has to be secret here.
    private static readonly byte[] Known = Encoding.ASCII.GetBytes("planted-key-0123456789-abcdefghi");
    private readonly string _directory = Directory.CreateTempSubdirectory("sendproxy-keys").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string Write(ReadOnlySpan<byte> content, string name = "key")
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    public static TheoryData<string> Forms => ["raw", "base64", "base64 line", "hex", "HEX line"];

    [Theory]
    [MemberData(nameof(Forms))]
    public void Load_EachForm_YieldsTheSameKey(string form)
    {
        var path = Write(form switch
        {
            "raw" => Known,
            "base64" => Encoding.ASCII.GetBytes(Convert.ToBase64String(Known)),
            "base64 line" => Encoding.ASCII.GetBytes(Convert.ToBase64String(Known) + "\n"),
            "hex" => Encoding.ASCII.GetBytes(Convert.ToHexStringLower(Known)),
            _ => Encoding.ASCII.GetBytes(Convert.ToHexString(Known) + "\r\n"),
        });

        using var keys = SealKeys.Load([path]);

        Assert.Equal(SHA256.HashData(Known)[..8], keys.Current.Id.ToBytes());
    }

    public static TheoryData<int> WrongLengths => [0, 16, 31, 33, 129];

    [Theory]
    [MemberData(nameof(WrongLengths))]
    public void Load_WrongLength_IsRefusedByName(int length)
    {
        var path = Write(RandomNumberGenerator.GetBytes(length));

        Assert.Contains(path, Assert.Throws<SealKeyUnavailableException>(() => SealKeys.Load([path])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoSuchFile_IsRefusedByName()
    {
        var path = Path.Combine(_directory, "absent");

        Assert.Contains(path, Assert.Throws<SealKeyUnavailableException>(() => SealKeys.Load([path])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void LoadOrCreate_NewJournal_MakesAKeyOfModeOwnerOnlyAndKeepsIt()
    {
        var path = Path.Combine(_directory, "new", "journal.db.key");

        using var made = SealKeys.LoadOrCreate(path, journalHasItems: false);
        using var again = SealKeys.LoadOrCreate(path, journalHasItems: true);

        Assert.Equal(made.Current.Id.ToBytes(), again.Current.Id.ToBytes());
        Assert.Equal([path], Directory.GetFiles(Path.GetDirectoryName(path)!));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
    }

    [Fact]
    public void LoadOrCreate_KeyMissingForJournalWithItems_RefusesAndMakesNone()
    {
        var path = Path.Combine(_directory, "journal.db.key");

        Assert.Throws<SealKeyUnavailableException>(() => SealKeys.LoadOrCreate(path, journalHasItems: true));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Create_ManyAtOnce_AllEndWithOneKey()
    {
        var path = Path.Combine(_directory, "journal.db.key");
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var racing = Enumerable.Range(0, 16).Select(async _ =>
        {
            await gate.Task;
            using var keys = SealKeys.LoadOrCreate(path, journalHasItems: false);
            return keys.Current.Id.ToString();
        }).ToArray();
        gate.SetResult();

        Assert.Single((await Task.WhenAll(racing)).Distinct());
        Assert.Equal([path], Directory.GetFiles(_directory));
    }

    [Fact]
    public void ToStringAndMessages_OfAKey_DoNotHoldIt()
    {
        var tooLong = Write([.. Known, .. "x"u8], "bad");
        using var keys = SealKeys.Load([Write(Known)]);

        var refused = Assert.Throws<SealKeyUnavailableException>(() => SealKeys.Load([tooLong]));
        var shown = $"{keys} {keys.Current} {refused}";

        Assert.DoesNotContain("planted-key", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(Known)[..8], shown, StringComparison.Ordinal);
    }
}
