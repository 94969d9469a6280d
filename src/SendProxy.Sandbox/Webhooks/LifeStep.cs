namespace SendProxy.Sandbox.Webhooks;

/// <summary>One event in a message's life.</summary>
/// <param name="Type">As <c>message.sent</c>.</param>
/// <param name="After">From accepting to the event.</param>
/// <param name="Status">The message's status with it.</param>
/// <param name="Detail">Name of a further member of <c>data</c>; empty for none.</param>
/// <param name="DetailJson">That member's value in JSON.</param>
internal readonly record struct LifeStep(
    string Type, TimeSpan After, string Status, string Detail = "", string DetailJson = "");
