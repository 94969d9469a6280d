using SendProxy.Configuration;

namespace SendProxy.Upstreams.Responses;

/// <summary>One rule of <c>classify</c>: when status, body and headers match, the answer has this meaning.</summary>
/// <param name="Status">Null: every status.</param>
/// <param name="Body">JSON pointer and the text its value must have.</param>
/// <param name="Headers">Header name and the value it must have.</param>
internal sealed record ClassifyRule(
    int? Status, IReadOnlyList<(JsonPointer At, string Text)> Body, IReadOnlyDictionary<string, string> Headers, Meaning Means)
{
    public static ClassifyRule Read(SettingsReader rule)
    {
        var status = (int)rule.Integer("status", 0, 0, 599, "The answer's status; 0 for every one.");
        var body = new List<(JsonPointer, string)>();
        foreach (var (at, text) in rule.TextMap("body", "JSON pointers into the answer and the value each must have; a value that ends in * is what it starts with."))
        {
            if (JsonPointer.TryParse(at, out var pointer))
            {
                body.Add((pointer!, text));
            }
            else
            {
                rule.Fail("body", $"{Spelling.Quoted(at)} is no JSON pointer (RFC 6901); write for example /error/code");
            }
        }

        return new ClassifyRule(
            Status: status == 0 ? null : status,
            Body: body,
            Headers: rule.TextMap("headers", "Header names and the value each must have; a value that ends in * is what it starts with, * alone is any."),
            Means: rule.Choice("means", "What the answer means.",
                ("permanent", Meaning.Permanent), ("retry", Meaning.Transient), ("retry-after", Meaning.Throttled), ("recipient-retry-after", Meaning.RecipientThrottled),
                ("quota", Meaning.Quota), ("session-down", Meaning.SessionDown), ("key-rejected", Meaning.CredentialRejected),
                ("in-progress", Meaning.InProgress), ("duplicate", Meaning.Duplicate), ("ambiguous", Meaning.Ambiguous), ("success", Meaning.Success)));
    }

    public bool Matches(int status, Func<string, string?> header, ReadOnlySpan<byte> body) =>
        (Status is null || Status == status) && (Headers.Count == 0 || HeadersMatch(header)) && BodyMatches(body);

    private bool HeadersMatch(Func<string, string?> header) => Headers.All(h => Fits(header(h.Key), h.Value, StringComparison.OrdinalIgnoreCase));

    private bool BodyMatches(ReadOnlySpan<byte> body)
    {
        for (var i = 0; i < Body.Count; i++)
        {
            if (body.IsEmpty || !Fits(JsonPointerReader.Scalar(body, Body[i].At, out _), Body[i].Text, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Fits(string? value, string pattern, StringComparison comparison) => value is not null && (pattern.EndsWith('*')
        ? value.AsSpan().StartsWith(pattern.AsSpan(..^1), comparison)
        : value.Equals(pattern, comparison));
}

/// <summary>Says what an answer means: the rules first, then what HTTP says of the status.</summary>
internal static class Classifier
{
    /// <param name="status">The answer's status.</param>
    /// <param name="header">Yields a header's value or null.</param>
    /// <param name="body">The buffered body; empty where it was streamed. Read only where a rule asks.</param>
    /// <returns>What it means, and whether a rule said so.</returns>
    public static (Meaning Meaning, bool ByRule) Judge(
        IReadOnlyList<ClassifyRule> rules, int status, Func<string, string?> header, ReadOnlyMemory<byte> body)
    {
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i] is var rule && rule.Matches(status, header, body.Span))
            {
                return (rule.Means, true);
            }
        }

        return (ByStatus(status, header("Retry-After") is not null), false);
    }

    public static Meaning ByStatus(int status, bool hasRetryAfter) => status switch
    {
        >= 200 and < 300 => Meaning.Success,
        401 => Meaning.CredentialRejected,
        429 => Meaning.Throttled,
        503 when hasRetryAfter => Meaning.Throttled,
        501 or 505 => Meaning.Permanent,

        // Also those that no RFC has: 520 to 530 of CDNs, 529. The class of a status says what it is (RFC 9110, 15).
        408 or 425 or >= 500 => Meaning.Transient,
        _ => Meaning.Permanent,
    };

    /// <returns>What the body could have made of a response with this status: one for each rule that reads it.</returns>
    public static IEnumerable<Meaning> MeaningsByBody(IReadOnlyList<ClassifyRule> rules, int status) =>
        rules.Where(r => r.Body.Count > 0 && (r.Status is null || r.Status == status)).Select(r => r.Means);
}
