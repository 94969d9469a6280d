using System.Net;
using SendProxy.Errors;
using SendProxy.Sending.Responses;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Sending.Idempotency;

/// <summary>A final answer as it is kept to be replayed.</summary>
internal sealed record StoredResponse(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body)
{
    public const int MaxBodyBytes = ResponseReader.MaxBufferedBytes;
    private const int MaxHeaderBytes = 8 * 1024;
    private const byte Version = 1;

    // It is stored among the vendor's headers and filtered out when they are replayed, so that a process of an older version can still read the record.
    private const string SentHeader = "SendProxy-Sent";

    // These headers describe the moment of the first answer and would mislead when they are replayed.
    private static readonly HashSet<string> NotKept = new(StringComparer.OrdinalIgnoreCase) { "Date", "Content-Length", "Retry-After", "RateLimit" };

    /// <summary>Whether the vendor acted when it gave this response; where an older version stored it, what its status says.</summary>
    public Sent Sent
    {
        get
        {
            var kept = Headers.FirstOrDefault(h => h.Key.Equals(SentHeader, StringComparison.OrdinalIgnoreCase)).Value;
            return (kept ?? (Status < 400 ? "yes" : "no")) switch
            {
                "no" => Sent.No,
                "maybe" => Sent.Maybe,
                _ => Sent.Yes,
            };
        }
    }

    /// <summary>2xx, and 4xx that will not change by asking again.</summary>
    public static bool IsFinal(int status) =>
        status is >= 200 and < 300 || (status is >= 400 and < 500 && status is not (401 or 403 or 408 or 409 or 425 or 429));

    /// <returns>Null where the answer was streamed or is no final one.</returns>
    public static StoredResponse? From(HttpResponseMessage answer, ReadOnlyMemory<byte> body, bool buffered, Sent sent)
    {
        if (!buffered || !IsFinal((int)answer.StatusCode) || body.Length > MaxBodyBytes)
        {
            return null;
        }

        var headers = new List<KeyValuePair<string, string>> { new(SentHeader, sent.Word()) };
        var room = MaxHeaderBytes;
        foreach (var (name, values) in answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated))
        {
            var value = values.ToString();
            room -= name.Length + value.Length;
            if (room >= 0 && HeaderNames.ComesBack(name) && !NotKept.Contains(name)
                && !name.Contains("RateLimit", StringComparison.OrdinalIgnoreCase))
            {
                headers.Add(new(name, value));
            }
        }

        return new StoredResponse((int)answer.StatusCode, headers, body.ToArray());
    }

    public HttpResponseMessage ToMessage()
    {
        var message = new HttpResponseMessage((HttpStatusCode)Status) { Content = new ReadOnlyMemoryContent(Body) };
        foreach (var (name, value) in Headers.Where(h => h.Key != SentHeader))
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                message.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        message.Content.Headers.ContentLength = Body.Length;
        return message;
    }

    /// <returns>Version, status, headers and body with their lengths; not sealed.</returns>
    public byte[] Serialize()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Version);
        writer.Write7BitEncodedInt(Status);
        writer.Write7BitEncodedInt(Headers.Count);
        foreach (var (name, value) in Headers)
        {
            writer.Write(name);
            writer.Write(value);
        }

        writer.Write7BitEncodedInt(Body.Length);
        writer.Write(Body.Span);
        writer.Flush();
        return stream.ToArray();
    }

    /// <returns>Null for what is not of this form.</returns>
    public static StoredResponse? Parse(byte[] stored)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(stored));
            if (reader.ReadByte() != Version)
            {
                return null;
            }

            var status = reader.Read7BitEncodedInt();
            var headers = new KeyValuePair<string, string>[Math.Clamp(reader.Read7BitEncodedInt(), 0, MaxHeaderBytes)];
            for (var i = 0; i < headers.Length; i++)
            {
                headers[i] = new(reader.ReadString(), reader.ReadString());
            }

            var length = reader.Read7BitEncodedInt();
            var body = length is >= 0 and <= MaxBodyBytes ? reader.ReadBytes(length) : [];
            return body.Length == length ? new StoredResponse(status, headers, body) : null;
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException)
        {
            return null;
        }
    }
}
