using System.CommandLine;
using SendProxy.Sandbox.Limits;

namespace SendProxy.Sandbox.Cli;

/// <summary>The options <c>--limit-*</c>.</summary>
internal sealed class LimitFlags
{
    private const int RequestsMax = 1_000_000;

    private readonly Setting<LimitKind> _kind = Words.Choice<LimitKind>(
        "--limit-kind", "How requests are counted.", new()
        {
            ["fixed"] = LimitKind.FixedWindow,
            ["bucket"] = LimitKind.TokenBucket,
            ["sliding"] = LimitKind.SlidingWindow,
        });

    private readonly Setting<int> _requests = Words.Count(
        "--limit-requests", "Requests in a window; 0 for no limit.", 0, 0, RequestsMax);

    private readonly Setting<TimeSpan> _window = Words.Duration(
        "--limit-window", "Length of the window. Default 1s.", TimeSpan.FromSeconds(1));

    private readonly Setting<int> _burst = Words.Count(
        "--limit-burst", "Size of the bucket; 0 for as many as --limit-requests.", 0, 0, RequestsMax);

    private readonly Setting<TimeSpan> _phase = Words.Duration(
        "--limit-phase", "Fixed windows begin this much after a multiple of their length. Default 0ms.", TimeSpan.Zero);

    private readonly Setting<int> _concurrency = Words.Count(
        "--limit-concurrency", "Requests that may run at once; 0 for no limit.", 0, 0, RequestsMax);

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_kind, _requests, _window, _burst, _phase, _concurrency])
        {
            command.Options.Add(option);
        }
    }

    public IReadOnlyList<LimitOptions> Read(ParseResult parsed)
    {
        var limits = new List<LimitOptions>();
        if (_requests.Read(parsed) is > 0 and var requests)
        {
            limits.Add(new LimitOptions
            {
                Kind = _kind.Read(parsed),
                Requests = requests,
                Window = _window.Read(parsed),
                Burst = _burst.Read(parsed),
                Phase = _phase.Read(parsed),
            });
        }

        if (_concurrency.Read(parsed) is > 0 and var running)
        {
            limits.Add(new LimitOptions { Kind = LimitKind.Concurrency, Requests = running });
        }

        return limits;
    }
}
