namespace SendProxy.Sandbox.Webhooks;

/// <summary>How the events of a message differ from queued, sent, delivered. The faults' table explains each.</summary>
internal enum LifeTwist
{
    None,
    OutOfOrder,
    DeliveredSkipped,
    NeverDelivered,
    DoubledSameId,
    DoubledNewId,
    BeforeAnswer,
    UnknownId,
    Batched,
    BadSignature,
    StaleTimestamp,
    Late,
    Read,
    Failed,
    FailedTemporarily,
    BounceHard,
    BounceSoft,
    Complained,
    Opened,
    OptsOut,

    /// <summary>A lying session: accepted, and nothing follows.</summary>
    QueuedOnly,
}
