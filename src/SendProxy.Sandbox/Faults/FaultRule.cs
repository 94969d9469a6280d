namespace SendProxy.Sandbox.Faults;

/// <summary>Lets a fault happen to requests that arrive.</summary>
/// <param name="Fault">Which one.</param>
internal sealed record FaultRule(Fault Fault)
{
    /// <summary>Requests that meet it, then the rule ends; null for no end.</summary>
    public int? Count { get; init; }

    /// <summary>Probability that a request meets it, over 0 to 1. Default 1.</summary>
    public double Share { get; init; } = 1;

    /// <summary>Requests that pass first. Default 0.</summary>
    public int Skip { get; init; }

    /// <summary>Only for paths that begin so; null for all sends.</summary>
    public string? Path { get; init; }

    /// <summary>Only for sms, whatsapp or email; null for all.</summary>
    public string? Channel { get; init; }
}
