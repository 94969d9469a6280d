namespace SendProxy.Sqlite;

/// <summary>
/// Finds at the start what SQLite would pass over: it takes an empty file for a new database and deletes a write-ahead log that
/// stands beside one, and it takes a file without its log for whole.
/// </summary>
internal static class JournalLoss
{
    private const string Remedy =
        "Nothing was changed. Restore the file together with its -wal file; or, to begin anew without what is lost, see \"A new beginning\" in docs/OPERATING.md";

    /// <summary>Before SQLite opens the file.</summary>
    /// <exception cref="JournalUnavailableException">Something that was stored is gone; with what, and the remedy.</exception>
    public static void RefuseBeforeOpening(string path, JournalGeneration? beside)
    {
        var (main, log) = (Length(path), Length(path + "-wal"));
        if (main == 0 && log > 0)
        {
            throw new JournalUnavailableException(
                path, $"is empty or gone, while its write-ahead log of {log} bytes is there: what was stored is lost but for the log, which SQLite would delete. {Remedy}");
        }

        if (main == 0 && beside is not null)
        {
            throw new JournalUnavailableException(
                path, $"is empty or gone, and it was opened {Times(beside.Number)} before, as {JournalGeneration.PathOf(path)} says: what was stored in it is lost. {Remedy}");
        }

        if (beside is { IsRunning: true } && log == 0)
        {
            throw new JournalUnavailableException(
                path, $"was not closed in order, and its write-ahead log {path}-wal is empty or gone: what was stored last is lost. {Remedy}. "
                + $"To go on with what is left, remove {JournalGeneration.PathOf(path)}");
        }
    }

    /// <summary>Once the file is open.</summary>
    /// <param name="stored">What the file says of itself; null where it never was a journal.</param>
    /// <exception cref="JournalUnavailableException">It is not the file that was here.</exception>
    public static void RefuseAnother(string path, (Guid Journal, long Number)? stored, JournalGeneration? beside)
    {
        if (beside is null)
        {
            return;
        }

        var difference = stored is not { } found ? "is a new file"
            : found.Journal != beside.Journal ? "is another journal"
            : found.Number < beside.Number ? $"is an older copy: it was opened {Times(found.Number)}"
            : null;
        if (difference is not null)
        {
            throw new JournalUnavailableException(
                path, $"{difference}, and the one that was here was opened {Times(beside.Number)}, as {JournalGeneration.PathOf(path)} says: what was stored since is lost, "
                + $"and what was delivered since may be delivered again. {Remedy}. To go on with this file on purpose, remove {JournalGeneration.PathOf(path)}");
        }
    }

    private static long Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    private static string Times(long number) => number == 1 ? "once" : $"{number} times";
}
