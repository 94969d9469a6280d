using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Sending;

/// <summary>A message that was accepted.</summary>
/// <param name="Id"><c>msg_...</c></param>
/// <param name="Channel">sms, whatsapp or email.</param>
/// <param name="ToJson">The recipients as they were given: a JSON string or array.</param>
/// <param name="SessionId">For whatsapp, else null.</param>
/// <param name="CreatedAt">When it was accepted.</param>
/// <param name="MetadataJson">As given: a JSON object.</param>
/// <param name="Twist">How its events differ.</param>
internal sealed record Message(
    string Id,
    string Channel,
    byte[] ToJson,
    string? SessionId,
    DateTimeOffset CreatedAt,
    byte[] MetadataJson,
    LifeTwist Twist);
