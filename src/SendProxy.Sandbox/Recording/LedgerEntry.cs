namespace SendProxy.Sandbox.Recording;

/// <summary>One message that was really sent. This is what tests count.</summary>
/// <param name="MessageId">The <c>msg_...</c> id.</param>
/// <param name="Channel">sms, whatsapp or email.</param>
/// <param name="Path">Path of the request.</param>
/// <param name="KeyFingerprint">First 8 hex digits of the API key's SHA-256; never the key.</param>
/// <param name="IdempotencyKey">As received, or null.</param>
/// <param name="BodyHash">SHA-256 of the body, 32 bytes.</param>
/// <param name="At">When it was sent.</param>
/// <param name="Intent"><c>metadata.intent</c>, or null: what the application meant to send once.</param>
/// <param name="Fault">Name of the fault that met this request, or null.</param>
internal sealed record LedgerEntry(
    string MessageId,
    string Channel,
    string Path,
    string KeyFingerprint,
    string? IdempotencyKey,
    byte[] BodyHash,
    DateTimeOffset At,
    string? Intent,
    string? Fault)
{
    /// <summary>Position in the ledger, from 1; given when the ledger takes it.</summary>
    public long Number { get; set; }
}
