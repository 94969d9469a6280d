using System.CommandLine;
using SendProxy.Sandbox.Answers;

namespace SendProxy.Sandbox.Cli;

/// <summary>The options that say how limits are told.</summary>
internal sealed class RateHeaderFlags
{
    private const int Most = 1_000_000;

    private readonly Setting<RateHeaderNames> _names = Words.Choice<RateHeaderNames>(
        "--rate-headers", "Which headers tell the limit: X-RateLimit-*, RateLimit-* or RateLimit of the IETF drafts, or none.", new()
        {
            ["x-ratelimit"] = RateHeaderNames.XRateLimit,
            ["ratelimit"] = RateHeaderNames.RateLimit,
            ["draft"] = RateHeaderNames.Draft,
            ["none"] = RateHeaderNames.None,
        });

    private readonly Setting<ResetForm> _reset = Words.Choice<ResetForm>(
        "--reset-form", "What X-RateLimit-Reset counts.", new()
        {
            ["seconds"] = ResetForm.Seconds,
            ["ms"] = ResetForm.Milliseconds,
            ["decimal"] = ResetForm.Decimal,
            ["unix"] = ResetForm.Unix,
            ["unix-ms"] = ResetForm.UnixMs,
            ["absent"] = ResetForm.Absent,
        });

    private readonly Setting<RetryAfterForm> _retryAfter = Words.Choice<RetryAfterForm>(
        "--retry-after", "What Retry-After holds.", new()
        {
            ["seconds"] = RetryAfterForm.Seconds,
            ["http-date"] = RetryAfterForm.HttpDate,
            ["absent"] = RetryAfterForm.Absent,
        });

    private readonly Setting<int> _step = Words.Count(
        "--remaining-step", "What remains is told in whole multiples of this, rounded down.", 1, 1, Most);

    private readonly Setting<int> _lag = Words.Count(
        "--remaining-lag", "What remains is told as it was so many answers ago.", 0, 0, Most);

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_names, _reset, _retryAfter, _step, _lag])
        {
            command.Options.Add(option);
        }
    }

    public RateHeaderOptions Read(ParseResult parsed) => new()
    {
        Names = _names.Read(parsed),
        Reset = _reset.Read(parsed),
        RetryAfter = _retryAfter.Read(parsed),
        RemainingStep = _step.Read(parsed),
        RemainingLag = _lag.Read(parsed),
    };
}
