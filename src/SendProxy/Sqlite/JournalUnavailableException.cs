namespace SendProxy.Sqlite;

/// <summary>The journal cannot be opened. The message names the file, the reason and the remedy.</summary>
internal sealed class JournalUnavailableException(string path, string why, Exception? inner = null)
    : Exception($"The journal {path} {why}.", inner);
