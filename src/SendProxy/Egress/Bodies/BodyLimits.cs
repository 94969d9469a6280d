using SendProxy.Configuration;
using SendProxy.Errors;

namespace SendProxy.Egress.Bodies;

/// <summary>How large a route's bodies may be. Settings <c>routes[].maxBody</c> and <c>routes[].maxStreamedBody</c>.</summary>
/// <param name="MaxBody">Kept in memory, so that it can be repeated.</param>
/// <param name="MaxStreamed">Beyond <paramref name="MaxBody"/>: passed on as it comes, in one attempt. Not larger than it where nothing is streamed.</param>
/// <param name="ReadBy">The setting for which the body must be read whole; null where none.</param>
internal sealed record BodyLimits(long MaxBody, long MaxStreamed, string? ReadBy)
{
    /// <param name="readBy">The route's setting for which its bodies are read; null where none.</param>
    public static BodyLimits Read(SettingsReader route, string? readBy)
    {
        var max = route.Size("maxBody", "1MiB", "0B", "64MiB", "Largest body that is kept in memory, so that it can be repeated.");
        var streamed = route.Size("maxStreamedBody", "30MiB", "0B", "10GiB",
            "Largest body beyond maxBody: it is streamed and has one attempt. Only where nothing of it is read: no recipients, no cost: recipients, no idempotency.derive, no idempotency.carrier: body. 0B: none.");
        var isWritten = route.Has("maxStreamedBody");
        route.Check(!isWritten || streamed == 0 || streamed >= max, "maxStreamedBody", "must not be smaller than maxBody; 0B streams nothing");
        route.Check(!isWritten || streamed == 0 || readBy is null, "maxStreamedBody", $"means nothing where {readBy} is set: the body must be read before it is sent");
        return new BodyLimits(max, readBy is null ? streamed : 0, readBy);
    }

    /// <returns>The same where bodies must be read for a setting of the upstream's.</returns>
    public BodyLimits Unstreamed(string readBy) => this with { MaxStreamed = 0, ReadBy = ReadBy ?? readBy };

    public Refusal TooLarge() => Refusal.NotSent(ProxyError.BodyTooLarge, MaxStreamed > MaxBody
        ? $"The body is larger than the route's maxStreamedBody ({Units.FormatSize(MaxStreamed)})."
        : $"The body is larger than the route's maxBody ({Units.FormatSize(MaxBody)}){(ReadBy is null ? "" : $"; {ReadBy} needs it whole, so it is not streamed")}.");
}
