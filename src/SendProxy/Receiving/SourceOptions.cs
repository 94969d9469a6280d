using SendProxy.Configuration;
using SendProxy.Secrets;

namespace SendProxy.Receiving;

/// <summary>A sender of webhooks. Section <c>webhooks.sources.NAME</c>.</summary>
/// <param name="Recipe">Null: nothing is verified, as <c>verify: none</c> and <c>allowUnverified</c> say.</param>
/// <param name="PublicUrl">The URL the vendor calls, without a query, as it was told; for vendors that sign it.</param>
/// <param name="Fingerprint">Equal for equal settings: what did not change survives a reload.</param>
internal sealed record SourceOptions(
    string Name,
    SignatureRecipe? Recipe,
    IReadOnlyList<ISecretSource> Secrets,
    string? PublicUrl,
    long MaxBodyBytes,
    int Concurrency,
    TimeSpan Tolerance,
    DedupeOptions Dedupe,
    AcknowledgeOptions Acknowledge,
    EventOptions Events,
    ISecretSource? VerifyToken,
    string Fingerprint)
{
    /// <summary>How its secrets become keys.</summary>
    public SigningKeyFormat KeyFormat => Recipe?.Key ?? new SigningKeyFormat(SignatureScheme.None, KeyEncoding.Utf8);

    public static SourceOptions Read(string name, SettingsReader source)
    {
        _ = Presets.Apply(source, "source");
        var (verify, none) = source.SectionOrWord("verify", "none",
            "How the vendor signs (preset); none: it does not, which needs allowUnverified.");
        var unverified = source.Flag("allowUnverified", false, "Take webhooks of a source whose verify is none: anybody can send them.");
        source.Check(verify is not null || none, "verify", "is required; name a preset, or write how the vendor signs");
        source.Check(!none || unverified, "verify",
            "is none: anybody who reaches the listener can send events; say allowUnverified: true to take that");
        var secrets = source.List("secrets", "The vendor's signing secrets, all valid: several while one is rotated.",
            r => SecretOptions.ReadSource(r, directory: false, required: true), 5);
        source.Check(none || (source.Has("secrets") && secrets.Count > 0), "secrets", "is required; give for example [{ file: /run/secrets/sendapi/webhook }]");
        var options = new SourceOptions(
            Name: name,
            Recipe: verify is null ? null : SignatureRecipe.Read(verify),
            Secrets: [.. secrets.OfType<ISecretSource>()],
            PublicUrl: source.Text("publicUrl", null,
                "The URL that the vendor calls, without a query; required where it is signed (twilio).", 2000),
            MaxBodyBytes: source.Size("maxBody", "1MiB", "1KiB", "64MiB", "Largest body; more gets 413."),
            Concurrency: (int)source.Integer("concurrency", 256, 1, 10_000, "Webhooks worked on at once; more get the overloadStatus."),
            Tolerance: source.Duration("tolerance", "5m", "1s", "7d", "How far the signed time may be from now, both ways (preset)."),
            Dedupe: DedupeOptions.Read(source.Section("dedupe", "How the same event is known when it comes again.")),
            Acknowledge: AcknowledgeOptions.Read(source.Section("acknowledge", "What the vendor is answered.")),
            Events: EventOptions.Read(source.Section("events", "What an event says of itself.")),
            VerifyToken: ReadChallenge(source),
            Fingerprint: source.Fingerprint());
        options.CheckRelations(source);
        return options;
    }

    private static ISecretSource? ReadChallenge(SettingsReader source)
    {
        var challenge = source.OptionalSection("challenge", "Answers the GET with hub.verify_token that a vendor makes once (meta).");
        var token = challenge?.OptionalSection("verifyToken", "The token that the vendor was given for it.");
        return token is null ? null : SecretOptions.ReadSource(token, directory: false, required: true);
    }

    private void CheckRelations(SettingsReader source)
    {
        var signsUrl = Recipe is { } recipe && (recipe.Form == SignedContentKind.UrlAndParams || recipe.Content.HasUrl);
        source.Check(!signsUrl || PublicUrl is not null, "publicUrl", "is required: this vendor signs the URL that it calls");
        source.Check(PublicUrl is null || (Uri.TryCreate(PublicUrl, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http"
            && PublicUrl.AsSpan().IndexOfAny('?', '#') < 0), "publicUrl",
            "must be the URL that the vendor calls, without a query: https://hooks.example.com/webhooks/twilio");
        // A copy that still passes the tolerance must still be known: first seen at its earliest, again at its latest.
        source.Check(Recipe is not { HasTimestamp: true } || Dedupe.Window >= 2 * Tolerance, "tolerance",
            $"is more than half of dedupe.window ({Units.Format(Dedupe.Window)}): an old copy would be taken as new");
    }
}

/// <summary>
/// How an event that comes again is known: by its id in the JSON, else by the first of the headers that is there, and only where none
/// is there by its bytes. Two events may well have equal bytes.
/// </summary>
internal sealed record DedupeOptions(JsonPointer? Id, IReadOnlyList<string> Headers, TimeSpan Window, int MaxIds)
{
    public static DedupeOptions Read(SettingsReader dedupe)
    {
        var options = new DedupeOptions(
            Id: dedupe.Pointer("id", null, "Where the event's id stands in its JSON (preset)."),
            Headers: dedupe.Texts("headers", [],
                "Headers with the id of what is sent, where the JSON has none: the first that is there counts, in the order of trust (preset). Where none is there, equal bodies are one event.", 10),
            Window: dedupe.Duration("window", "48h", "1m", "30d", "How long an id is remembered."),
            MaxIds: (int)dedupe.Integer("maxIds", 10_000_000, 1000, 100_000_000, "How many ids of the source are remembered."));
        dedupe.Check(options.Headers.All(HeaderName.Fits), "headers", "must be header names: letters, digits and -");
        return options;
    }
}

/// <summary>What the vendor is answered, and how soon.</summary>
internal sealed record AcknowledgeOptions(int Status, TimeSpan Within, int OverloadStatus)
{
    public static AcknowledgeOptions Read(SettingsReader acknowledge) => new(
        Status: (int)acknowledge.Integer("status", 200, 200, 299, "Answered once the event is stored (preset)."),
        Within: acknowledge.Duration("within", "4s", "100ms", "60s",
            "Answer overloadStatus when it was not stored by then: below the vendor's own patience (preset)."),
        OverloadStatus: (int)acknowledge.Integer("overloadStatus", 503, 400, 599,
            "Answered when it cannot be stored now, so that the vendor sends it again (preset)."));
}

/// <summary>How a body becomes events, and where they say what they are.</summary>
/// <param name="Batched">A JSON array is a batch: each of its elements is an event.</param>
internal sealed record EventOptions(
    JsonPointer? Type, JsonPointer? MessageId, JsonPointer? At, string? TypeHeader, bool Batched, int MaxEvents)
{
    public static EventOptions Read(SettingsReader events)
    {
        var options = new EventOptions(
            Type: events.Pointer("type", null, "Where the event's type stands; subscribers choose by it (preset)."),
            MessageId: events.Pointer("messageId", null, "Where the id of the message that it is about stands (preset)."),
            At: events.Pointer("at", null, "Where the time of the event stands (preset)."),
            TypeHeader: events.Text("typeHeader", null, "The header with the type, where the JSON has none (preset).", 100),
            Batched: events.Flag("batched", false, "A JSON array is a batch: each of its elements is an event (preset)."),
            MaxEvents: (int)events.Integer("maxEvents", 5000, 1, 100_000, "Most events of one batch; more get 413."));
        events.Check(options.TypeHeader is null || HeaderName.Fits(options.TypeHeader), "typeHeader", "must be a header name: letters, digits and -");
        return options;
    }
}
