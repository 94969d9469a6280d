using System.Buffers;
using System.Text.Json;
using SendProxy.Secrets.Sealing;

namespace SendProxy.Sqlite;

/// <summary>What the file beside a journal says of it. It outlives a journal that was emptied, replaced or cut off from its log.</summary>
/// <param name="Journal">The journal's own id.</param>
/// <param name="Number">How often it was opened.</param>
/// <param name="IsRunning">It was not closed in order: its write-ahead log must still be there.</param>
internal sealed record JournalGeneration(Guid Journal, long Number, bool IsRunning)
{
    /// <summary>Where it stands.</summary>
    public static string PathOf(string journal) => journal + ".generation";

    /// <returns>Null where there is none, or none that can be read: then nothing can be compared.</returns>
    /// <exception cref="IOException">It is there and cannot be read.</exception>
    public static JournalGeneration? Read(string journal)
    {
        var path = PathOf(journal);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = document.RootElement;
            return new JournalGeneration(
                root.GetProperty("journal").GetGuid(), root.GetProperty("generation").GetInt64(), root.GetProperty("running").GetBoolean());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Replaces the file whole, and only then returns: a crash leaves the old one or the new one.</summary>
    /// <exception cref="IOException">The disk is full, or fails.</exception>
    public void Write(string journal)
    {
        var path = PathOf(journal);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(path + ".tmp", options))
        {
            file.Write(ToBytes());
            file.Flush(flushToDisk: true);
        }

        File.Move(path + ".tmp", path, overwrite: true);
        DirectorySync.Flush(Path.GetDirectoryName(path)!);
    }

    private ReadOnlySpan<byte> ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("journal", Journal);
            json.WriteNumber("generation", Number);
            json.WriteBoolean("running", IsRunning);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan;
    }
}
