namespace SendProxy.Overload;

/// <summary>How reading a body into memory ended.</summary>
internal enum BodyReadResult
{
    /// <summary>All of it is in the buffer.</summary>
    Complete,

    /// <summary>The buffer holds more than may be kept; there may be more to come.</summary>
    TooLarge,

    /// <summary>The memory budget has no room for it.</summary>
    NoMemory,

    /// <summary>The sender was slower than <c>listen.minDataRate</c>.</summary>
    TooSlow,

    /// <summary>It broke off, or its framing is wrong.</summary>
    Incomplete,
}

/// <summary>Reads bodies of requests into memory: within the memory budget, and not slower than the minimum data rate.</summary>
internal sealed class RequestBodyReader(MemoryBudget budget, DataRateMonitor rates)
{
    public BodyBuffer Buffer(MemoryUse use) => new(budget, use);

    /// <returns>What was not read yet, for who passes it on as it comes.</returns>
    public Stream Rest(HttpRequest request) => new RequestBodyStream(request.BodyReader, rates);

    /// <summary>Reads until the end, or until more than <paramref name="most"/> bytes are there.</summary>
    /// <exception cref="OperationCanceledException">The sender went away, or the time is over.</exception>
    public async ValueTask<BodyReadResult> ReadAsync(HttpRequest request, long most, BodyBuffer buffer, CancellationToken cancellation)
    {
        var reader = request.BodyReader;
        var announced = request.ContentLength;

        // What the last buffer will need: the announced length, or for a body in chunks as much as may be kept.
        var expected = Math.Min(announced ?? most, most);
        TransferWatch? watch = null;
        try
        {
            while (true)
            {
                var pending = reader.ReadAsync(cancellation);
                var read = pending.IsCompleted ? await pending : await (watch ??= rates.Watch(reader)).ReadAsync(pending);
                var fits = buffer.TryAppend(read.Buffer, expected);
                watch?.Received(read.Buffer.Length);
                reader.AdvanceTo(read.Buffer.End);
                if (!fits)
                {
                    rates.EndLongest();
                    return BodyReadResult.NoMemory;
                }

                if (buffer.Length > most)
                {
                    return BodyReadResult.TooLarge;
                }

                if (read.IsCompleted || buffer.Length == announced)
                {
                    return buffer.Length < announced ? BodyReadResult.Incomplete : BodyReadResult.Complete;
                }
            }
        }
        catch (TransferTooSlowException)
        {
            return BodyReadResult.TooSlow;
        }
        catch (Exception e) when (e is BadHttpRequestException or IOException)
        {
            return BodyReadResult.Incomplete;
        }
    }
}
