namespace SendProxy.Sqlite;

/// <summary>The journal cannot be opened. The message names the file, the reason and the remedy.</summary>
internal sealed class JournalUnavailableException(string path, string why, Exception? inner = null)
    : Exception($"The journal {path} {why}.", inner)
{
    /// <summary>There is no space to open it. It can be opened later without a restart.</summary>
    public bool IsDiskFull { get; init; }
}
