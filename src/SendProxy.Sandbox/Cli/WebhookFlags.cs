using System.CommandLine;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Cli;

/// <summary>The options about events.</summary>
internal sealed class WebhookFlags
{
    private static readonly WebhookOptions Usual = new();

    private readonly Setting<Uri?> _url = new("--webhook-url", null)
    {
        Description = "Where events are posted to. Default nowhere.",
        CustomParser = result =>
        {
            var text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") { return url; }
            result.AddError($"--webhook-url '{text}' is no absolute http or https address.");
            return null;
        },
    };

    private readonly Setting<string> _secret = new("--webhook-secret", WebhookTarget.DefaultSecret)
    {
        Description = $"Secret that events are signed with. Default {WebhookTarget.DefaultSecret}.",
    };

    private readonly Setting<SignatureForm> _signature = Words.Choice<SignatureForm>(
        "--signature", "How events are signed.", new()
        {
            ["standard"] = SignatureForm.Standard,
            ["stripe"] = SignatureForm.Stripe,
            ["github"] = SignatureForm.GitHub,
            ["none"] = SignatureForm.None,
        });

    private readonly Setting<double> _timeScale = new("--time-scale", Usual.TimeScale)
    {
        Description = "Factor of the waits between attempts (5s, 30s, 2m, 10m, 1h, 6h). Default 1, above 0 to 100.",
        Validators =
        {
            result =>
            {
                if (result.GetValueOrDefault<double>() is not (> 0 and <= 100))
                {
                    result.AddError("--time-scale must be above 0 and at most 100.");
                }
            },
        },
    };

    private readonly Setting<TimeSpan> _sent = Words.Duration(
        "--sent-after", "From accepting to message.sent. Default 50ms.", Usual.SentAfter);

    private readonly Setting<TimeSpan> _delivered = Words.Duration(
        "--delivered-after", "From accepting to message.delivered. Default 200ms.", Usual.DeliveredAfter);

    private readonly Setting<int> _concurrency = Words.Count(
        "--webhook-concurrency", "Attempts that run at once.", Usual.MaxConcurrency, 1, 10_000);

    private readonly Setting<int> _pending = Words.Count(
        "--max-pending-webhooks", "Events that may wait; more are dropped.", Usual.MaxPending, 1, 10_000_000);

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])
            [_url, _secret, _signature, _timeScale, _sent, _delivered, _concurrency, _pending])
        {
            command.Options.Add(option);
        }
    }

    public WebhookOptions Read(ParseResult parsed) => new()
    {
        Target = _url.Read(parsed) is { } url
            ? new WebhookTarget(url, _secret.Read(parsed), _signature.Read(parsed))
            : null,
        TimeScale = _timeScale.Read(parsed),
        SentAfter = _sent.Read(parsed),
        DeliveredAfter = _delivered.Read(parsed),
        MaxConcurrency = _concurrency.Read(parsed),
        MaxPending = _pending.Read(parsed),
    };
}
