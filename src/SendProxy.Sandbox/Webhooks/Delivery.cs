namespace SendProxy.Sandbox.Webhooks;

/// <summary>One body on its way to the target: an event, or several in an array.</summary>
internal sealed class Delivery(string id, string type, string? messageId, byte[] body)
{
    /// <summary>What is signed as the id, the same for each attempt.</summary>
    public string Id => id;

    /// <summary>The event's type; <c>batch</c> for several.</summary>
    public string Type => type;

    public string? MessageId => messageId;

    /// <summary>The same bytes for each attempt.</summary>
    public byte[] Body => body;

    /// <summary>The signature does not fit.</summary>
    public bool IsBadlySigned { get; init; }

    /// <summary>Added to the time that is signed. Default zero.</summary>
    public TimeSpan SignedShift { get; init; }

    /// <summary>Attempts made.</summary>
    public int Attempts { get; set; }

    public static Delivery Of(WebhookEvent one) => new(one.Id, one.Type, one.MessageId, one.ToBody());
}
