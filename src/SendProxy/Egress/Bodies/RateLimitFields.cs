using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Sending.RateLimiting;

namespace SendProxy.Egress.Bodies;

/// <summary>What the limits of a route read of a body: whose limit it is, and how many permits it costs.</summary>
/// <param name="pers">For each limit of the route its <c>per</c>; null where it has none.</param>
/// <param name="costOf">Whose number is the cost; null: one.</param>
/// <param name="hash">Names a value without saying it; the same in the whole fleet.</param>
internal sealed class RateLimitFields(IReadOnlyList<JsonPointer?> pers, IReadOnlyList<JsonPointer>? costOf, Func<string, string> hash)
{
    private const int CostMax = 1000;

    /// <returns>Null where no body needs to be read.</returns>
    public static RateLimitFields? For(IReadOnlyList<JsonPointer>? costOf, IReadOnlyList<LimitOptions> limits, Func<string, string> hash) =>
        costOf is null && limits.All(l => l.Per is null)
            ? null
            : new RateLimitFields([.. limits.Select(l => l.Per)], costOf, hash);

    /// <returns>What was read, or a refusal that names the field, never its value: 415, 422.</returns>
    public (RateLimitValues Limited, Refusal? Refusal) Read(HttpRequest request, ReadOnlyMemory<byte> body) =>
        Read(request.ContentType, request.Headers.ContentEncoding.ToString(), body);

    /// <summary>The same of a message that is no request any more.</summary>
    public (RateLimitValues Limited, Refusal? Refusal) Read(string? contentType, string contentEncoding, ReadOnlyMemory<byte> body)
    {
        var (fields, refusal) = JsonBodyFields.Read(contentType, contentEncoding, body);
        if (refusal is not null)
        {
            return (RateLimitValues.One, refusal);
        }

        using (fields)
        {
            (var cost, refusal) = Cost(fields!);
            var values = new string?[pers.Count];
            for (var i = 0; i < pers.Count && refusal is null; i++)
            {
                if (pers[i] is { } per)
                {
                    (var texts, refusal) = fields!.Texts(per, required: true);
                    refusal ??= texts.Count == 1 ? null : Refusal.NotSent(ProxyError.BodyInvalid, $"The field {per}, for each of which there is a limit, must be one text.");
                    values[i] = refusal is null ? hash(texts[0]) : null;
                }
            }

            return (new RateLimitValues(cost, values), refusal);
        }
    }

    private (int Cost, Refusal? Refusal) Cost(JsonBodyFields fields)
    {
        var cost = 0;
        for (var i = 0; i < (costOf?.Count ?? 0); i++)
        {
            var (texts, refusal) = fields.Texts(costOf![i], required: i == 0);
            cost += texts.Count;
            if (refusal is not null || cost > CostMax)
            {
                return (1, refusal ?? Refusal.NotSent(ProxyError.BodyInvalid, $"The message has more than {CostMax} recipients; send it in parts."));
            }
        }

        return (Math.Max(1, cost), null);
    }
}

/// <param name="Cost">Permits of each limit.</param>
/// <param name="Pers">For each limit whose it is; null where none asks.</param>
internal readonly record struct RateLimitValues(int Cost, IReadOnlyList<string?>? Pers)
{
    public static readonly RateLimitValues One = new(1, null);
}
