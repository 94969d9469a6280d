using Microsoft.Data.Sqlite;

namespace SendProxy.Sqlite;

/// <summary>What SQLite's primary result codes mean for the journal (sqlite.org/rescode.html).</summary>
internal static class SqliteFaults
{
    public const int Busy = 5;
    private const int NoMemory = 7;
    private const int ReadOnly = 8;
    public const int IoError = 10;
    public const int Corrupt = 11;
    public const int Full = 13;
    private const int NoSpaceErrno = 28; // ENOSPC; .NET gives an IOException the errno as its HResult on Unix.
    private const long RoomBytes = 1 << 20;
    private const int CannotOpen = 14;
    public const int NotADatabase = 26;

    /// <summary>
    /// The error of the whole batch, or null when only one statement failed (a constraint, a mistake in SQL): that is a
    /// defect of the work item that ran it.
    /// </summary>
    /// <param name="path">The journal's file.</param>
    public static JournalError? Of(SqliteException exception, string path) => exception.SqliteErrorCode switch
    {
        // SQLite says the same of a full disk and of max_page_count: where the disk has room, it was the latter.
        Full => HasRoom(path) ? JournalError.BoundReached : JournalError.DiskFull,
        Busy or NoMemory or ReadOnly or IoError or Corrupt or CannotOpen or NotADatabase => JournalError.Io,
        _ => null,
    };

    public static bool IsDiskFull(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: Full } or IOException { HResult: NoSpaceErrno };

    /// <summary>What an operator is told when the file does not open.</summary>
    public static string Explain(SqliteException exception, string? holder) => exception.SqliteErrorCode switch
    {
        Busy => $"is in use by another process{(holder is null ? "" : $" (pid {holder})")}: one process has a journal. "
            + "Stop that one, or give this one a path of its own",
        NotADatabase => "is no SQLite file; move it away or correct journal.path",
        Corrupt => "is damaged; move it away with its -wal file, and recover what is in it with sqlite3's .recover",
        Full => "cannot be opened because the disk, or journal.maxBytes, is full; make space",
        ReadOnly or CannotOpen => "cannot be written; check the owner and mode of the file and its directory",
        _ => $"cannot be opened: SQLite error {exception.SqliteErrorCode} ({exception.SqliteExtendedErrorCode})",
    };

    private static bool HasRoom(string path)
    {
        try
        {
            return new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace >= RoomBytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }
}
