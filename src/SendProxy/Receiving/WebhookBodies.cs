using System.Text.Json;
using SendProxy.Overload;

namespace SendProxy.Receiving;

/// <summary>
/// Reads a webhook's body as it came, within the source's bound and the memory budget, and charges the budget for what is made of it:
/// its sealed copy, and the table that JSON is read into.
/// </summary>
internal sealed class WebhookBodies(RequestBodyReader reader, MemoryBudget budget)
{
    // System.Text.Json's table: 12 bytes for each token, in an array that doubles as it grows.
    private const int BytesForEachToken = 24;

    /// <returns>The body, which is to be disposed once nothing uses its bytes; or why it was not taken.</returns>
    /// <exception cref="OperationCanceledException">The time is over, or the sender went away.</exception>
    public async Task<(WebhookBody? Body, Rejection Rejection)> ReadAsync(HttpRequest request, long most, CancellationToken cancellation)
    {
        var buffer = reader.Buffer(MemoryUse.Webhook);
        try
        {
            var result = await reader.ReadAsync(request, most, buffer, cancellation);
            var rejection = result switch
            {
                BodyReadResult.TooLarge => Rejection.BodyTooLarge,
                BodyReadResult.NoMemory => Rejection.Busy,
                BodyReadResult.TooSlow => Rejection.BodyTooSlow,
                _ => Rejection.BodyIncomplete,
            };
            if (result != BodyReadResult.Complete)
            {
                return (null, rejection);
            }

            var body = new WebhookBody(buffer, budget);
            buffer = null;
            return (body, default);
        }
        finally
        {
            buffer?.Dispose();
        }
    }

    /// <summary>Call it after the signature was checked and before the body is processed.</summary>
    /// <returns>False where the budget has no room for what will be made of it.</returns>
    public static bool TryPrepare(WebhookBody body) => body.TryReserve(body.Bytes.Length + (CountTokens(body.Bytes.Span) * BytesForEachToken));

    private static long CountTokens(ReadOnlySpan<byte> body)
    {
        var json = new Utf8JsonReader(body);
        var tokens = 0L;
        try
        {
            while (json.Read())
            {
                tokens++;
            }
        }
        catch (JsonException)
        {
            // No JSON: it is stored as it is.
        }

        return tokens;
    }
}

/// <summary>A webhook's body, charged to the memory budget until its last holder lets go.</summary>
internal sealed class WebhookBody(BodyBuffer buffer, MemoryBudget budget) : IDisposable
{
    private long _reserved;
    private int _holders = 1;

    public ReadOnlyMemory<byte> Bytes => buffer.Written;

    public bool TryReserve(long bytes)
    {
        if (!budget.TryReserve(MemoryUse.Webhook, bytes, buffer.Length))
        {
            return false;
        }

        _reserved += bytes;
        return true;
    }

    /// <summary>Holds the memory until one more <see cref="Dispose"/>.</summary>
    public WebhookBody Hold()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            buffer.Dispose();
            budget.Release(MemoryUse.Webhook, _reserved);
        }
    }
}
