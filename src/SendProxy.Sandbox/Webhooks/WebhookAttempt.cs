namespace SendProxy.Sandbox.Webhooks;

/// <summary>One attempt to deliver.</summary>
/// <param name="Number">Position in the log, from 1.</param>
/// <param name="EventId">What was signed as the id.</param>
/// <param name="Type">The event's type; <c>batch</c> for several.</param>
/// <param name="MessageId">The message it is about, or null.</param>
/// <param name="Attempt">Its number for this event, from 1.</param>
/// <param name="At">When it began.</param>
/// <param name="Status">What the target answered; 0 when it did not.</param>
/// <param name="Outcome">delivered, refused, timeout or unreachable.</param>
/// <param name="RetryAt">When the next one is due; null for none.</param>
internal sealed record WebhookAttempt(
    long Number,
    string EventId,
    string Type,
    string? MessageId,
    int Attempt,
    DateTimeOffset At,
    int Status,
    string Outcome,
    DateTimeOffset? RetryAt);
