using System.CommandLine;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Cli;

/// <summary>The options about events.</summary>
internal sealed class WebhookFlags
{
    private static readonly WebhookOptions Usual = new();

    private readonly Option<Uri?> _url = new("--webhook-url")
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

    private readonly Option<string> _secret = new("--webhook-secret")
    {
        Description = $"Secret that events are signed with. Default {WebhookTarget.DefaultSecret}.",
        DefaultValueFactory = _ => WebhookTarget.DefaultSecret,
    };

    private readonly Option<SignatureForm> _signature = Words.Choice<SignatureForm>("--signature", "How events are signed.", new()
    {
        ["standard"] = SignatureForm.Standard,
        ["stripe"] = SignatureForm.Stripe,
        ["github"] = SignatureForm.GitHub,
        ["none"] = SignatureForm.None,
    });

    private readonly Option<double> _timeScale = new("--time-scale")
    {
        Description = "Factor of the waits between attempts (5s, 30s, 2m, 10m, 1h, 6h). Default 1, above 0 to 100.",
        DefaultValueFactory = _ => Usual.TimeScale,
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

    private readonly Option<TimeSpan> _sent = Words.Duration(
        "--sent-after", "From accepting to message.sent. Default 50ms.", Usual.SentAfter);

    private readonly Option<TimeSpan> _delivered = Words.Duration(
        "--delivered-after", "From accepting to message.delivered. Default 200ms.", Usual.DeliveredAfter);

    private readonly Option<int> _concurrency = Words.Count(
        "--webhook-concurrency", "Attempts that run at once.", Usual.MaxConcurrency, 1, 10_000);

    private readonly Option<int> _pending = Words.Count(
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
        Target = parsed.GetValue(_url) is { } url
            ? new WebhookTarget(url, parsed.GetValue(_secret)!, parsed.GetValue(_signature))
            : null,
        TimeScale = parsed.GetValue(_timeScale),
        SentAfter = parsed.GetValue(_sent),
        DeliveredAfter = parsed.GetValue(_delivered),
        MaxConcurrency = parsed.GetValue(_concurrency),
        MaxPending = parsed.GetValue(_pending),
    };
}
