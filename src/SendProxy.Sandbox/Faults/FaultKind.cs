using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Faults;

/// <summary>A fault that can be asked for by name, or by the recipient that stands for it.</summary>
/// <param name="Number">The last three digits of its telephone number.</param>
/// <param name="Name">In rules, in <c>X-Sandbox-Fault</c>, and before the @ of its address.</param>
/// <param name="Action">What happens.</param>
/// <param name="About">For the README and <c>GET /sandbox/faults/kinds</c>.</param>
internal sealed record FaultKind(int Number, string Name, FaultAction Action, string About)
{
    /// <summary>What <see cref="FaultAction.Refuse"/> and <see cref="FaultAction.ErrorAfter"/> answer.</summary>
    public ApiError? Error { get; init; }

    /// <summary>The word for <c>Retry-After</c>, as <see cref="Fault.RetryAfter"/>; null for the usual one.</summary>
    public string? RetryAfter { get; init; }

    /// <summary>How the message's events differ.</summary>
    public LifeTwist Twist { get; init; }

    // Ofcom keeps +44 7700 900000 to 900999 for fiction, so no person can have one of these.
    public string Phone => $"+447700900{Number:000}";

    /// <summary>Addresses in .test belong to nobody (RFC 6761).</summary>
    public string Address => $"{Name}@sandbox.test";
}
