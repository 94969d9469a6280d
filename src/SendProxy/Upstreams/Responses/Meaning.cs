namespace SendProxy.Upstreams.Responses;

/// <summary>What a vendor's answer means for the message, whatever its status says.</summary>
internal enum Meaning
{
    /// <summary>Done: 2xx.</summary>
    Success,

    /// <summary>A final answer that repeating does not change.</summary>
    Permanent,

    /// <summary>Too fast, and the vendor says that it did nothing: 429 by its status alone, others where a preset says so.</summary>
    Throttled,

    /// <summary>Too fast for this one recipient, and the vendor says that it did nothing. Others are not concerned.</summary>
    RecipientThrottled,

    /// <summary>The vendor failed in a way that may pass: 408, 425 and every 5xx, known or not, but 501 and 505.</summary>
    Transient,

    /// <summary>The plan is used up: waiting some seconds does not help.</summary>
    Quota,

    /// <summary>The sending session is not connected.</summary>
    SessionDown,

    /// <summary>The key is not known: 401.</summary>
    CredentialRejected,

    /// <summary>The vendor still works on the first request with this key.</summary>
    InProgress,

    /// <summary>The vendor has seen the key before and did nothing this time: an earlier request may have done it, or may have been refused.</summary>
    Duplicate,

    /// <summary>The vendor may or may not have done it.</summary>
    Ambiguous,
}
