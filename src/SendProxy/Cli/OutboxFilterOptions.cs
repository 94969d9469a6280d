using System.CommandLine;

namespace SendProxy.Cli;

/// <summary>The options that say which messages of the outbox are meant.</summary>
internal sealed class OutboxFilterOptions
{
    private static readonly string[] States = ["any", "queued", "sending", "held", "retrying", "sent", "failed", "unknown", "expired", "discarded"];

    private readonly Option<string[]> _state = new("--state") { Description = "Only messages in this state; may be given several times; any: in whatever state." };
    private readonly Option<string?> _route = new("--route") { Description = "Only messages of this route." };
    private readonly Option<string?> _reason = new("--reason") { Description = "Only messages with this reason, as list shows it." };
    private readonly Option<string?> _reference = new("--reference") { Description = "Only messages that their application calls so." };
    private readonly Option<string?> _olderThan = new("--older-than") { Description = "Only messages accepted longer ago: 15m, 24h, 3d." };

    public OutboxFilterOptions() => _state.AcceptOnlyFromAmong(States);

    public Command AddTo(Command command)
    {
        command.Add(_state);
        command.Add(_route);
        command.Add(_reason);
        command.Add(_reference);
        command.Add(_olderThan);
        return command;
    }

    public bool IsGiven(ParseResult result) => Query(result).Length > 0;

    public string Query(ParseResult result)
    {
        var parts = (result.GetValue(_state) ?? []).Select(state => $"state={state}").ToList();
        void Add(string name, string? value)
        {
            if (value is not null)
            {
                parts.Add($"{name}={Uri.EscapeDataString(value)}");
            }
        }

        Add("route", result.GetValue(_route));
        Add("reason", result.GetValue(_reason));
        Add("reference", result.GetValue(_reference));
        Add("olderThan", result.GetValue(_olderThan));
        return string.Join('&', parts);
    }
}
