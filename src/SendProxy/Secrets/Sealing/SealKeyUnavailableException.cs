namespace SendProxy.Secrets.Sealing;

/// <summary>A seal key cannot be had. The message names the file and the remedy, never what is in it.</summary>
internal sealed class SealKeyUnavailableException(string path, string why, Exception? inner = null)
    : Exception($"The seal key {path} {why}.", inner);
