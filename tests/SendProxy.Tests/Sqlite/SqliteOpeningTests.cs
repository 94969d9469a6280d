using Microsoft.Data.Sqlite;
using SendProxy.Sqlite;

namespace SendProxy.Tests.Sqlite;

public sealed class SqliteOpeningTests : IDisposable
{
    private readonly SqliteJournalOptions _options = JournalUnderTest.NewOptions();

    private string Root => Path.GetDirectoryName(Path.GetDirectoryName(_options.Path))!;

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static SqliteJournal Open(SqliteJournalOptions options) => SqliteJournal.Open(
        options, new JournalMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry())),
        TimeProvider.System);

    private static string MessageOf(SqliteJournalOptions options) =>
        Assert.Throws<JournalUnavailableException>(() => Open(options)).Message;

    private static void Execute(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        connection.Execute(sql);
    }

    [Fact]
    public async Task Open_NewPath_MakesDirectoryAndFileOfModeOwnerOnly()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("File modes are Unix.");
            return;
        }

        await using var journal = Open(_options);

        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_options.Path));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_options.Path + "-wal"));
        Assert.Equal(
            OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(_options.Path)!));
    }

    [Theory]
    [InlineData("journal_mode", "wal")]
    [InlineData("synchronous", "2")]
    [InlineData("locking_mode", "exclusive")]
    [InlineData("foreign_keys", "0")]
    [InlineData("wal_autocheckpoint", "1000")]
    public async Task Open_Settings_AreWhatDurabilityNeeds(string name, string value)
    {
        await using var journal = Open(_options);

        var actual = await journal.ReadAsync(
            session =>
            {
                using var row = session.Query("PRAGMA " + name);
                return row.Read() ? row.Text(0) : null;
            },
            TestContext.Current.CancellationToken);

        Assert.Equal(value, actual.Value);
    }

    [Fact]
    public async Task Open_InUse_NamesPathPidAndRemedy()
    {
        await using var journal = Open(_options);

        var message = MessageOf(_options);

        Assert.Contains(_options.Path, message, StringComparison.Ordinal);
        Assert.Contains($"pid {Environment.ProcessId}", message, StringComparison.Ordinal);
        Assert.Contains("path of its own", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_AfterTheOtherClosed_Succeeds()
    {
        await Open(_options).DisposeAsync();

        await Open(_options).DisposeAsync();
    }

    [Fact]
    public async Task Open_NewerSchema_IsRefusedAndUntouched()
    {
        await Open(_options).DisposeAsync();
        Execute(_options.Path, "PRAGMA user_version = 1000");

        Assert.Contains("schema 1000", MessageOf(_options), StringComparison.Ordinal);
        Assert.Contains("schema 1000", MessageOf(_options), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NoSqliteFile_SaysSo()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_options.Path)!);
        File.WriteAllText(_options.Path, new string('x', 5000));

        Assert.Contains("no SQLite file", MessageOf(_options), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_PathIsADirectory_SaysSo()
    {
        Directory.CreateDirectory(_options.Path);

        Assert.Contains("cannot be written", MessageOf(_options), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OnTmpfs_IsRefusedUnlessAllowed()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "Needs Linux with a tmpfs.");
        var path = $"/dev/shm/sendproxy-{Guid.NewGuid():n}/deep/journal.db";

        var message = MessageOf(_options with { Path = path, AllowEphemeral = false });

        Assert.Contains("tmpfs at /dev/shm", message, StringComparison.Ordinal);
        Assert.Contains("allowEphemeral", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.GetDirectoryName(Path.GetDirectoryName(path))));
    }
}
