using System.Text;

namespace SendProxy.Load;

/// <summary>Reads one answer of HTTP/1.1 out of the bytes that came so far: its status, and where it ends.</summary>
internal static class Answer
{
    private const int StatusAt = 9;

    /// <param name="Status">0 where the head is not whole yet.</param>
    /// <param name="Length">Of the whole answer; -1 where it is not known yet.</param>
    /// <param name="Closes">The connection ends with it.</param>
    internal readonly record struct Head(int Status, long Length, bool Closes);

    public static Head Read(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0 || end < StatusAt + 3)
        {
            return new(0, -1, false);
        }

        var status = ((bytes[StatusAt] - '0') * 100) + ((bytes[StatusAt + 1] - '0') * 10) + bytes[StatusAt + 2] - '0';
        var head = bytes[..(end + 2)];
        var body = end + 4;
        var closes = Value(head, "connection: "u8).SequenceEqual("close"u8);
        if (Value(head, "content-length: "u8) is { Length: > 0 } length)
        {
            return new(status, body + long.Parse(length), closes);
        }

        if (Value(head, "transfer-encoding: "u8).Length == 0)
        {
            return new(status, body, closes);
        }

        // Answers are small here: the last chunk is looked for at the end of what is there.
        return new(status, bytes[body..].EndsWith("0\r\n\r\n"u8) ? bytes.Length : -1, closes);
    }

    private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        for (var at = head.IndexOf("\r\n"u8) + 2; at < head.Length;)
        {
            var line = head[at..];
            line = line[..line.IndexOf("\r\n"u8)];
            if (line.Length > name.Length && Ascii.EqualsIgnoreCase(line[..name.Length], name))
            {
                return line[name.Length..];
            }

            at += line.Length + 2;
        }

        return [];
    }
}
