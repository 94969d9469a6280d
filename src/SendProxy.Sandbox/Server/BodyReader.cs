using System.Buffers;

namespace SendProxy.Sandbox.Server;

/// <summary>Reads a request's body into memory, up to a bound.</summary>
internal static class BodyReader
{
    /// <returns>The body, or null when it is larger than <paramref name="maxBytes"/>.</returns>
    /// <exception cref="IOException">The client went away, or what it sent is not HTTP.</exception>
    public static async ValueTask<byte[]?> ReadAsync(HttpRequest request, int maxBytes, CancellationToken stop)
    {
        if (request.ContentLength > maxBytes) { return null; }
        var body = new ArrayBufferWriter<byte>((int)Math.Max(request.ContentLength ?? 256, 1));
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(stop);
            if (read.Buffer.Length + body.WrittenCount > maxBytes) { return null; }
            foreach (var segment in read.Buffer) { body.Write(segment.Span); }
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) { return body.WrittenSpan.ToArray(); }
        }
    }
}
