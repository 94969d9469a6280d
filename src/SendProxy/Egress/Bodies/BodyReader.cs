using SendProxy.Errors;
using SendProxy.Overload;
using SendProxy.Sending.Attempts;

namespace SendProxy.Egress.Bodies;

/// <summary>Reads a request's body once, within the bounds of its route and of the process.</summary>
internal sealed class BodyReader(RequestBodyReader bodies, MemoryBudget budget)
{
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    private readonly Action<int> _release = size => budget.Release(MemoryUse.RequestBody, size);

    /// <returns>The body; or its beginning, where the rest of it is larger than may be kept and is to be streamed.</returns>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    public async ValueTask<(ReplayBody? Body, bool HasMore, Refusal? Refusal)> ReadAsync(HttpRequest request, BodyLimits bound, CancellationToken cancellation)
    {
        if (request.ContentLength is 0 || (request.ContentLength is null && request.Headers.TransferEncoding.Count == 0))
        {
            return (ReplayBody.Empty, false, null);
        }

        if (request.ContentLength > bound.MaxBody)
        {
            return request.ContentLength <= bound.MaxStreamed ? (ReplayBody.Empty, true, null) : (null, false, bound.TooLarge());
        }

        using var buffer = bodies.Buffer(MemoryUse.RequestBody);
        var result = await bodies.ReadAsync(request, bound.MaxBody, buffer, cancellation);
        return result switch
        {
            BodyReadResult.Complete => (Take(buffer), false, null),
            BodyReadResult.TooLarge when bound.MaxStreamed > bound.MaxBody => (Take(buffer), true, null),
            BodyReadResult.TooLarge => (null, false, bound.TooLarge()),
            BodyReadResult.NoMemory => (null, false, Full()),
            BodyReadResult.TooSlow => (null, false, TooSlow()),
            _ => (null, false, Refusal.NotSent(ProxyError.BodyIncomplete, "The body ended before its announced length.")),
        };
    }

    /// <returns>What was not read yet of a body that is streamed.</returns>
    public Stream Rest(HttpRequest request) => bodies.Rest(request);

    private Refusal Full() => Refusal.NotSent(
        ProxyError.Overloaded, $"What running requests hold fills process.maxBufferedBytes ({Configuration.Units.FormatSize(budget.Bytes)}).", TryAgain);

    private static Refusal TooSlow() =>
        Refusal.NotSent(ProxyError.BodyIncomplete, "The body came slower than listen.minDataRate over listen.dataRateWindow.") with { Status = 408 };

    private ReplayBody Take(BodyBuffer buffer)
    {
        var length = buffer.Length;
        return length == 0 ? ReplayBody.Empty : ReplayBody.Rented(buffer.Detach(), length, _release);
    }
}
