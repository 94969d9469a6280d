using SendProxy.Configuration;

namespace SendProxy.Upstreams;

/// <summary>How the vendor recognises a repeated request.</summary>
/// <param name="Kind">Where the key goes; None: the vendor does not deduplicate.</param>
/// <param name="Name">The header's name.</param>
/// <param name="Pointer">Where in a JSON body; null unless the kind is Body.</param>
/// <param name="IsStated">The file or the preset says so; false where it is only the default.</param>
/// <param name="Lifetime">How long the vendor remembers a key.</param>
/// <param name="Paths">Where alone the vendor deduplicates: exact, or a prefix with a slash at its end. Empty: everywhere.</param>
internal sealed record IdempotencyCarrier(
    CarrierKind Kind, string Name, JsonPointer? Pointer, bool IsStated, TimeSpan Lifetime, IReadOnlyList<string> Paths)
{
    private readonly IdempotencyCarrier? _elsewhere;

    public bool Deduplicates => Kind != CarrierKind.None;

    public static IdempotencyCarrier Read(SettingsReader idempotency)
    {
        var carrier = new IdempotencyCarrier(
            Kind: idempotency.Choice("carrier", "Where the key goes; none: the vendor does not deduplicate, and nothing that may have arrived is repeated.",
                ("none", CarrierKind.None), ("header", CarrierKind.Header), ("body", CarrierKind.Body)),
            Name: idempotency.Text("name", "Idempotency-Key", "The header that carries the key.", 100)!,
            Pointer: idempotency.Pointer("pointer", null, "With carrier: body: where in the JSON body the key is written; the other bytes stay as they are."),
            IsStated: idempotency.Has("carrier"),
            Lifetime: idempotency.Duration("lifetime", "24h", "1m", "90d", "How long the vendor remembers a key; nothing is repeated later than 90 % of it."),
            Paths: idempotency.Texts("paths", [],
                "Paths at which alone the vendor deduplicates, exact or with a slash at the end what they start with; elsewhere as with carrier: none. Default: everywhere.", 50));
        idempotency.Check(carrier.Kind == CarrierKind.Body == carrier.Pointer is not null, "pointer", carrier.Pointer is null
            ? "is required with carrier: body; write for example pointer: /headers/idempotencyKey"
            : "means something only with carrier: body");
        idempotency.Check(carrier.Pointer?.Segments.Contains("*") != true, "pointer", "names one place: no *");
        idempotency.Check(HeaderName.Fits(carrier.Name), "name", "must be a header name: letters, digits and -");
        idempotency.Check(carrier.Paths.All(p => p.StartsWith('/') && !p.Contains('?', StringComparison.Ordinal)), "paths", "must be paths: each begins with / and has no query");
        return carrier.Paths.Count == 0 ? carrier : carrier with { Elsewhere = carrier with { Kind = CarrierKind.None, Pointer = null } };
    }

    private IdempotencyCarrier Elsewhere { get => _elsewhere ?? this; init => _elsewhere = value; }

    /// <summary>What holds for one request.</summary>
    /// <param name="target">Origin form.</param>
    public IdempotencyCarrier At(string target) => Paths.Count == 0 || Lists(target.AsSpan(..EndOfPath(target))) ? this : Elsewhere;

    /// <summary>The vendor deduplicates whatever a route with this match lets through.</summary>
    public bool Covers(string? path, string? prefix) => Deduplicates
        && (Paths.Count == 0 || (path is not null ? Lists(path) : Paths.Any(p => p[^1] == '/' && prefix!.StartsWith(p, StringComparison.Ordinal))));

    /// <summary>The vendor deduplicates some request that a route with this match lets through.</summary>
    public bool Touches(string? path, string? prefix) => Deduplicates
        && (Covers(path, prefix) || (prefix is not null && Paths.Any(p => p.StartsWith(prefix, StringComparison.Ordinal))));

    private static int EndOfPath(string target) => target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query ? query : target.Length;

    private bool Lists(ReadOnlySpan<char> path)
    {
        for (var i = 0; i < Paths.Count; i++)
        {
            if (Paths[i][^1] == '/' ? path.StartsWith(Paths[i], StringComparison.Ordinal) : path.SequenceEqual(Paths[i]))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Where an idempotency key goes.</summary>
internal enum CarrierKind
{
    Header,
    Body,
    None,
}
