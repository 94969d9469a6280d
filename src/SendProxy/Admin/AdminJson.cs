using System.Text.Json;
using System.Text.Json.Serialization;

namespace SendProxy.Admin;

/// <summary>What the admin socket says. Names are a contract: scripts read them, and the commands through the same types.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.Never)]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(CredentialsView))]
[JsonSerializable(typeof(LimitsView))]
[JsonSerializable(typeof(UnblockView))]
[JsonSerializable(typeof(JournalKeysView))]
[JsonSerializable(typeof(WebhookListView))]
[JsonSerializable(typeof(WebhookItemView))]
[JsonSerializable(typeof(WebhookChangeView))]
[JsonSerializable(typeof(OutboxPauseView))]
internal sealed partial class AdminJson : JsonSerializerContext
{
    /// <summary>The same on one line, for probes.</summary>
    public static AdminJson Compact { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase });

    /// <summary>Writes a whole answer. It has no secret in it, and is not to be kept by anybody in between.</summary>
    public static Task WriteAsync<T>(HttpContext context, T view, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        return JsonSerializer.SerializeAsync(context.Response.Body, view, type, context.RequestAborted);
    }
}

/// <param name="AnswersElsewhere">Recorded answers of idempotency keys are kept in Redis, where nobody counts them by their key.</param>
internal sealed record JournalKeysView(IReadOnlyList<JournalKeyView> Keys, bool AnswersElsewhere);

/// <param name="Id">First 8 bytes of the key's SHA-256, in hex.</param>
/// <param name="File">Where it was read; null where no file of the configuration has it.</param>
/// <param name="Seals">New items are sealed with it.</param>
/// <param name="Items">Items that are neither done nor discarded.</param>
/// <param name="OldestItem">When the oldest of them arrived.</param>
/// <param name="Answers">Recorded answers of idempotency keys in the journal's file.</param>
/// <param name="SafeToRemove">Nothing needs it any more, as far as this process knows.</param>
internal sealed record JournalKeyView(
    string Id, string? File, bool Seals, long Items, DateTimeOffset? OldestItem, long Answers, bool SafeToRemove, string Why);

/// <param name="Changed">False where it was so already.</param>
/// <param name="Waiting">Messages of the route that are not finished.</param>
internal sealed record OutboxPauseView(string Route, bool Paused, bool Changed, long Waiting);

/// <param name="Next">The cursor of the next page; null on the last one.</param>
internal sealed record WebhookListView(IReadOnlyList<WebhookItemView> Items, string? Next);

/// <param name="Kind"><c>event</c>: not yet given to subscribers; <c>delivery</c>: on its way to one.</param>
/// <param name="Source">Null where the item does not open, as is all else that is sealed.</param>
/// <param name="Subscriber">Null for an event.</param>
/// <param name="LastStatus">The subscriber's last HTTP status; null where it never answered.</param>
internal sealed record WebhookItemView(
    string Id, string Kind, string State, string? Source, string? Subscriber, string? Type, string? EventId, string? MessageId,
    DateTimeOffset Received, int Attempts, int? LastStatus, string? Reason, DateTimeOffset Due, DateTimeOffset? Finished)
{
    /// <summary>Only where one item was asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public WebhookContentView? Content { get; init; }
}

/// <summary>What is sealed of one item.</summary>
/// <param name="Body">As text where it is UTF-8; null where it was not asked for.</param>
/// <param name="BodyBase64">Where it is no UTF-8.</param>
internal sealed record WebhookContentView(
    string ContentType, IReadOnlyList<string> Headers, int BodyBytes, string? Body, string? BodyBase64);

/// <summary>What came of a change to many items.</summary>
/// <param name="Matched">Items that the filter means.</param>
/// <param name="Changed">Items that were changed; with a dry run those that would be.</param>
/// <param name="Released">Subscribers whose hold was lifted; with a dry run those whose hold would be.</param>
/// <param name="Refused">Items that were left as they are, and why.</param>
/// <param name="Next">The cursor to go on with; null when all were seen.</param>
internal sealed record WebhookChangeView(
    int Matched, int Changed, IReadOnlyList<string> Released, IReadOnlyList<WebhookRefusalView> Refused, string? Next);

internal sealed record WebhookRefusalView(string Id, string State, string Why);
