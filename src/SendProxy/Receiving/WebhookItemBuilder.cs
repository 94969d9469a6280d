using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using SendProxy.Configuration;
using SendProxy.Queueing;

namespace SendProxy.Receiving;

/// <summary>What a verified request carries.</summary>
/// <param name="HeaderId">The first of <c>dedupe.headers</c> that is there, with its name; null where none is.</param>
/// <param name="HeaderType">Value of <c>events.typeHeader</c>; null where it is not there.</param>
internal sealed record VerifiedRequest(
    ReadOnlyMemory<byte> Body,
    string ContentType,
    IReadOnlyList<(string Name, string Value)> Headers,
    string? HeaderId,
    string? HeaderType,
    DateTimeOffset Received);

/// <summary>Makes queue items of a verified request: one, or one for each element of a batch.</summary>
internal static class WebhookItemBuilder
{
    private const int MaxTextLength = 256;

    /// <returns>Null where the batch has more events than the source takes.</returns>
    public static IReadOnlyList<NewItem>? Split(SourceOptions source, VerifiedRequest request, TimeProvider time)
    {
        using var document = Parse(request.Body);
        if (document is null || !source.Events.Batched || document.RootElement.ValueKind != JsonValueKind.Array)
        {
            return [Item(source, request, document is not null, request.Body, request.HeaderId, time)];
        }

        var count = document.RootElement.GetArrayLength();
        if (count > source.Events.MaxEvents)
        {
            return null;
        }

        // The header's id belongs to the whole request: an element is known by that id and by its place.
        return [.. document.RootElement.EnumerateArray().Select((e, place) =>
            Item(source, request, isJson: true, JsonMarshal.GetRawUtf8Value(e).ToArray(), request.HeaderId is { } id ? $"{id}/{place}" : null, time))];
    }

    private static NewItem Item(
        SourceOptions source, VerifiedRequest request, bool isJson, ReadOnlyMemory<byte> body, string? headerId, TimeProvider time)
    {
        var json = isJson ? body.Span : default;
        var id = Secrets.RandomId.Next(time.GetUtcNow());
        var envelope = new EventEnvelope
        {
            Source = source.Name,
            Id = $"evt_{id:n}",
            Type = Text(source.Events.Type, json) ?? request.HeaderType ?? "",
            MessageId = Text(source.Events.MessageId, json) ?? "",
            At = Text(source.Events.At, json) ?? "",
            Received = request.Received,
            ContentType = request.ContentType,
            Headers = request.Headers,
        };
        var name = Text(source.Dedupe.Id, json) is { } own ? $"id:{own}"
            : headerId is not null ? $"header:{headerId}"
            : $"body:{Convert.ToHexString(SHA256.HashData(body.Span))}";
        return new NewItem
        {
            Id = id,
            Queue = EventEnvelope.Events,
            Route = source.Name,
            SchemaVersion = EventEnvelope.Version,
            Dedupe = new DedupeKey(source.Name, name, source.Dedupe.Window, source.Dedupe.MaxIds),
            Metadata = envelope.ToBytes(),
            Body = body,
        };
    }

    // A signed body that is not JSON is still an event: its sender meant it to be one.
    private static JsonDocument? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonPointer? pointer, ReadOnlySpan<byte> json) =>
        pointer is not null && JsonPointerReader.Scalar(json, pointer, out var kind) is { Length: > 0 and <= MaxTextLength } text
        && (kind is JsonTokenType.String or JsonTokenType.Number)
            ? text
            : null;
}
