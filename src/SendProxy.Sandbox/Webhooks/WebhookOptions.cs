namespace SendProxy.Sandbox.Webhooks;

/// <summary>Where events go and how.</summary>
internal sealed record WebhookOptions
{
    /// <summary>First target; null, the default, for none until one is set.</summary>
    public WebhookTarget? Target { get; init; }

    /// <summary>Factor of the waits between attempts. Default 1; 0.01 makes 5 s into 50 ms.</summary>
    public double TimeScale { get; init; } = 1;

    /// <summary>The target must answer within this. Default 5 s, not scaled.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From accepting to <c>message.sent</c>. Default 50 ms, not scaled.</summary>
    public TimeSpan SentAfter { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>From accepting to <c>message.delivered</c>. Default 200 ms, not scaled.</summary>
    public TimeSpan DeliveredAfter { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Attempts that run at once. Default 64.</summary>
    public int MaxConcurrency { get; init; } = 64;

    /// <summary>Events that wait at most; more are dropped and counted. Default 200,000.</summary>
    public int MaxPending { get; init; } = 200_000;
}

/// <summary>Who receives events.</summary>
/// <param name="Url">http or https.</param>
/// <param name="Secret">Shared with the receiver; for the standard form base64, with or without <c>whsec_</c>.</param>
/// <param name="Signature">Form of the signature.</param>
internal sealed record WebhookTarget(Uri Url, string Secret, SignatureForm Signature = SignatureForm.Standard)
{
    /// <summary>What is used when no secret is given. Public, so worth nothing outside a sandbox.</summary>
    public const string DefaultSecret = "whsec_c2VuZHByb3h5LXNhbmRib3gtc2VjcmV0LTAwMDE=";

    /// <summary>For logs: without the secret.</summary>
    public override string ToString() => $"{Url} ({Signature})";
}

/// <summary>How events are signed.</summary>
internal enum SignatureForm
{
    /// <summary>Standard Webhooks: id, timestamp and <c>webhook-signature: v1,...</c>.</summary>
    Standard,

    /// <summary><c>Stripe-Signature: t=...,v1=...</c>.</summary>
    Stripe,

    /// <summary><c>X-Hub-Signature-256: sha256=...</c>.</summary>
    GitHub,

    /// <summary>No signature.</summary>
    None,
}
