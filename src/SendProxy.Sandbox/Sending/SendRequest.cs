namespace SendProxy.Sandbox.Sending;

/// <summary>A send that has been read and found valid.</summary>
/// <param name="ToJson">The recipients as given: a JSON string or array.</param>
/// <param name="Recipient">The first one.</param>
/// <param name="SessionId">For whatsapp, else null.</param>
/// <param name="MetadataJson">As given; an empty object when it was left out.</param>
/// <param name="Intent"><c>metadata.intent</c>, or null.</param>
internal sealed record SendRequest(
    byte[] ToJson, string Recipient, string? SessionId, byte[] MetadataJson, string? Intent);
