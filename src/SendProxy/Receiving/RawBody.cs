namespace SendProxy.Receiving;

/// <summary>Reads a webhook's body as it came, within the source's bound, chunked ones too.</summary>
internal static class RawBody
{
    /// <returns>The bytes, or why they were not taken. The array is the caller's: the store keeps it for a while.</returns>
    /// <exception cref="OperationCanceledException">The time is over, or the sender went away.</exception>
    public static async Task<(byte[]? Body, Rejection Rejection)> ReadAsync(HttpRequest request, long most, CancellationToken cancellation)
    {
        var reader = request.BodyReader;
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync(cancellation);
                if (read.Buffer.Length > most)
                {
                    reader.AdvanceTo(read.Buffer.End);
                    return (null, Rejection.BodyTooLarge);
                }

                if (read.IsCompleted)
                {
                    var body = System.Buffers.BuffersExtensions.ToArray(read.Buffer);
                    reader.AdvanceTo(read.Buffer.End);
                    return (body, default);
                }

                // Looked at, not taken: the pipe goes on collecting.
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (Exception e) when (e is BadHttpRequestException or IOException)
        {
            return (null, Rejection.BodyIncomplete);
        }
    }
}
