using System.Buffers;
using System.Text.Json;

namespace SendProxy.Sandbox.Answers;

/// <summary>What a request is answered with. Immutable: idempotency repeats the same one.</summary>
internal sealed record Answer(int Status, byte[] Body)
{
    public const string Json = "application/json";

    /// <summary>The same request will get this answer again, so a store keeps it. True for 2xx.</summary>
    public bool IsFinal { get; init; } = Status is >= 200 and < 300;

    /// <summary>It comes out of the idempotency store.</summary>
    public bool IsReplay { get; init; }

    /// <summary>Waiting this long helps; null says nothing of it.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>A literal <c>Retry-After</c> that wins over <see cref="RetryAfter"/>; null for none.</summary>
    public string? RetryAfterText { get; init; }

    /// <summary>No <c>Retry-After</c> whatever its reason.</summary>
    public bool HidesRetryAfter { get; init; }

    public string ContentType { get; init; } = Json;

    /// <summary>A header that this answer has and others have not; null for none.</summary>
    public KeyValuePair<string, string>? ExtraHeader { get; init; }

    /// <summary>The API's form of an error.</summary>
    /// <param name="error">Which one.</param>
    /// <param name="requestId">Shown in the body.</param>
    /// <param name="param">The parameter that is wrong; null when it is about none.</param>
    /// <param name="message">Instead of the error's own message.</param>
    public static Answer Of(ApiError error, string requestId, string? param = null, string? message = null)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("error");
            json.WriteString("type", error.Type);
            json.WriteString("code", error.Code);
            json.WriteString("message", message ?? error.Message);
            json.WriteString("param", param);
            json.WriteString("request_id", requestId);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return new Answer(error.Status, buffer.WrittenSpan.ToArray()) { IsFinal = error.IsFinal };
    }
}
