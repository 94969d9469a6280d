namespace SendProxy.Secrets;

/// <summary>What the mode of a secret's file allows to others.</summary>
internal static class SecretFileMode
{
    // Kubernetes and Docker mount secrets here, often with 0444: inside of a container that is not the operator's choice.
    private const string Mounted = "/run/secrets/";

    private const UnixFileMode OthersMayWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <returns>A sentence with the remedy; null where only the owner and perhaps its group can read it, or where that cannot be told.</returns>
    public static string? Exposure(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return null;
        }

        try
        {
            // Of what a link leads to, not of the link.
            using var file = File.OpenHandle(path);
            return Judge(path, File.GetUnixFileMode(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static string? Judge(string path, UnixFileMode mode) =>
        (mode & OthersMayWrite) != 0 ? $"{path} can be changed by other users (mode {Octal(mode)}): chmod 0400 it"
        : (mode & UnixFileMode.OtherRead) != 0 && !path.Contains(Mounted, StringComparison.Ordinal)
            ? $"{path} can be read by every user of this machine (mode {Octal(mode)}): chmod 0400 it"
        : null;

    private static string Octal(UnixFileMode mode) => $"0{Convert.ToString((int)mode & 0x1FF, 8).PadLeft(3, '0')}";
}
