using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Secrets.Sealing;

/// <summary>A key in a file.</summary>
internal static class SealKeyFile
{
    // The longest form is 64 hex digits with a line end; more is some other file.
    private const int MaxBytes = 128;

    /// <exception cref="SealKeyUnavailableException">Not there, not readable or no key.</exception>
    public static SealKey Read(string path)
    {
        var content = new byte[MaxBytes + 1];
        try
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.Read(file, content, 0);
            return new SealKey(Parse(content.AsSpan(0, length)) ?? throw new SealKeyUnavailableException(
                path, "is no AES-256 key: 32 bytes, raw or in base64 or hex, are needed (openssl rand -base64 32)"), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SealKeyUnavailableException(path, e is FileNotFoundException or DirectoryNotFoundException ? "is not there; make one (openssl rand -base64 32), or mount yours"
                : Directory.Exists(path) ? "is a directory; name the file in it that holds the key"
                : "cannot be read; let this user read it", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    /// <summary>
    /// Makes a key: written under another name, synced, then linked to its own, so that there is never half a key and
    /// never another process's key overwritten. When both make one at once, the first one's stays.
    /// </summary>
    /// <param name="key">32 bytes; null: new ones.</param>
    /// <exception cref="SealKeyUnavailableException">It cannot be written.</exception>
    public static void Create(string path, byte[]? key = null)
    {
        var full = Path.GetFullPath(path);
        var directory = Path.GetDirectoryName(full)!;
        var temporary = $"{full}.{Guid.NewGuid():n}.tmp";
        try
        {
            Directory.CreateDirectory(directory);
            Write(temporary, key);

            // link(2) fails where a file is; File.Move without overwrite looks first and renames then, which races.
            DirectorySync.Link(temporary, full);
            File.Delete(temporary);
            DirectorySync.Flush(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            if (!File.Exists(full))
            {
                throw new SealKeyUnavailableException(path, "cannot be made; is its directory writable?", e);
            }
        }
    }

    private static void Write(string path, byte[]? given)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var key = given ?? RandomNumberGenerator.GetBytes(SealKey.Bytes);
        using var file = new FileStream(path, options);
        file.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(key) + "\n"));
        file.Flush(flushToDisk: true);
        if (given is null)
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <returns>32 bytes, or null when the content is no key.</returns>
    internal static byte[]? Parse(ReadOnlySpan<byte> content)
    {
        if (content.Length == SealKey.Bytes)
        {
            return content.ToArray();
        }

        var text = Encoding.Latin1.GetString(content).Trim();
        if (text.Length == 2 * SealKey.Bytes && text.All(char.IsAsciiHexDigit))
        {
            return Convert.FromHexString(text);
        }

        var key = new byte[SealKey.Bytes];
        return Convert.TryFromBase64String(text, key, out var written) && written == SealKey.Bytes ? key : null;
    }
}
