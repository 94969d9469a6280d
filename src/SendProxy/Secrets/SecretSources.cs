using System.Text;

namespace SendProxy.Secrets;

/// <summary>One file, as Kubernetes or Docker mounts secrets. A last line end and a byte order mark do not belong to the value.</summary>
internal sealed class SecretFile(string path) : ISecretSource
{
    private const int MaxBytes = 16 * 1024;

    public string Place { get; } = $"file {path}";

    public string Path { get; } = path;

    public IReadOnlyList<SecretReading> Read() => [Read(Path, SecretSlot.Current)];

    public IEnumerable<string> Exposures() => SecretFileMode.Exposure(Path) is { } exposure ? [exposure] : [];

    public static SecretReading Read(string path, SecretSlot slot)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            var buffer = new byte[MaxBytes + 1];
            var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return length > MaxBytes ? new(slot, SecretState.TooLarge, null)
                : buffer is [0xff, 0xfe, ..] or [0xfe, 0xff, ..] ? new(slot, SecretState.Utf16, null)
                : Clean(Encoding.UTF8.GetString(buffer, 0, length), slot);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new(slot, SecretState.Missing, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(slot, Directory.Exists(path) ? SecretState.Directory : SecretState.Unreadable, null);
        }
    }

    public static SecretReading Clean(string text, SecretSlot slot)
    {
        var value = text.TrimStart('\uFEFF').TrimEnd('\r', '\n', ' ', '\t');
        return value.Length == 0 ? new(slot, SecretState.Empty, null)
            : value.Contains('\n', StringComparison.Ordinal) ? new(slot, SecretState.SeveralLines, null)
            : value.Any(char.IsControl) ? new(slot, SecretState.Malformed, null)
            : new(slot, SecretState.Ok, value);
    }
}

/// <summary>An environment variable, for development: it cannot be changed while running and other processes may see it.</summary>
internal sealed class SecretVariable(string name) : ISecretSource
{
    public string Place { get; } = $"environment variable {name}";

    public IReadOnlyList<SecretReading> Read() =>
        Environment.GetEnvironmentVariable(name) is { } value
            ? [SecretFile.Clean(value, SecretSlot.Current)]
            : [new(SecretSlot.Current, SecretState.Missing, null)];
}

/// <summary>
/// A directory with the files <c>current</c>, <c>next</c> and <c>previous</c>. Kubernetes swaps the whole directory by its
/// <c>..data</c> link: it is resolved once for all three, so that they are of one generation.
/// </summary>
internal sealed class SecretDirectory(string path) : ISecretSource
{
    public IReadOnlyList<string> Files { get; } = [Path.Combine(path, "current"), Path.Combine(path, "next"), Path.Combine(path, "previous")];

    public string Place { get; } = $"directory {path}";

    public IEnumerable<string> Exposures() => Files.Where(File.Exists).Select(SecretFileMode.Exposure).OfType<string>();

    public IReadOnlyList<SecretReading> Read()
    {
        if (File.Exists(path))
        {
            return [new(SecretSlot.Current, SecretState.NotDirectory, null)];
        }

        var folder = path;
        try
        {
            var data = new DirectoryInfo(Path.Combine(path, "..data"));
            folder = data.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Swapped between two looks: the plain folder tells the same, and the next poll sees it whole.
        }

        SecretReading Slot(string name, SecretSlot slot) => SecretFile.Read(Path.Combine(folder, name), slot);
        var current = Slot("current", SecretSlot.Current);
        var rest = new[] { Slot("next", SecretSlot.Next), Slot("previous", SecretSlot.Previous) };
        return [current, .. rest.Where(r => r.State != SecretState.Missing)];
    }
}
