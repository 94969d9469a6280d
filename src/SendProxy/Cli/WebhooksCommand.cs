using System.CommandLine;
using System.Text.Json;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary><c>sendproxy webhooks list|show|replay|discard</c>: stored events and deliveries, seen and moved by hand.</summary>
internal static class WebhooksCommand
{
    private const string Exit = "Exit 0; 1: refused; 2: the configuration is bad; 3: no proxy answers.";
    private static readonly string[] Head = ["ID", "STATE", "KIND", "SOURCE", "SUBSCRIBER", "TYPE", "RECEIVED", "ATTEMPTS", "STATUS", "REASON"];
    private static readonly string[] States = ["queued", "leased", "retrying", "held", "done", "dead", "unknown", "expired", "discarded"];

    public static Command Create(Option<string> config) => new("webhooks", "Stored webhook events and their deliveries to subscribers.")
    {
        List(config), Show(config),
        Change(config, "replay", AdminSocket.WebhooksReplayPath,
            "Deliver dead and expired items again, and lift the hold of subscribers whose items are held. Name ids, or a filter. " + Exit, "replayed"),
        Change(config, "discard", AdminSocket.WebhooksDiscardPath,
            "End items for good: nobody gets them any more. Name ids, or a filter. " + Exit, "discarded"),
    };

    private static Command List(Option<string> config)
    {
        var (common, filter) = (new AdminOptions(config), new WebhookFilterOptions(States));
        var max = new Option<int>("--max") { Description = "Most items to show.", DefaultValueFactory = _ => 100 };
        var command = common.AddTo(filter.AddTo(new Command("list",
            "List stored items: by default those that need a person, which are held, dead, unknown and expired ones. " + Exit) { max }));
        command.SetAction(async (result, cancellation) =>
        {
            var items = new List<JsonElement>();
            string? next = "";
            while (next is not null && items.Count < result.GetValue(max))
            {
                var query = $"{filter.Query(result)}&max={Math.Min(1000, result.GetValue(max) - items.Count)}&cursor={next}";
                if (await common.SendAsync(HttpMethod.Get, $"{AdminSocket.WebhooksPath}?{query}", result, cancellation) is not { } page)
                {
                    return common.ExitCode;
                }

                items.AddRange(page.GetProperty("items").EnumerateArray());
                next = page.GetProperty("next").GetString();
            }

            await result.InvocationConfiguration.Output.WriteLineAsync(common.WantsJson(result)
                ? WebhookTexts.Json(items, next)
                : items.Count > 0 ? Text(items, next)
                : filter.IsGiven(result) ? $"No stored item is {filter.Told(result)}. Another filter may find some; sendproxy webhooks list without one shows those that need a person."
                : "No stored item needs a person: none is held, dead, unknown or expired. Others, which need nobody: --state queued, leased, retrying, done or discarded.");
            return 0;
        });
        return command;
    }

    private static Command Show(Option<string> config)
    {
        var common = new AdminOptions(config);
        var id = new Argument<string>("id") { Description = "The item's id, as list shows it." };
        var body = new Option<bool>("--body") { Description = "Also print the body. It may name recipients." };
        var command = common.AddTo(new Command("show", "Show one stored item. " + Exit) { id, body });
        command.SetAction(async (result, cancellation) =>
        {
            var path = $"{AdminSocket.WebhooksPath}/{Uri.EscapeDataString(result.GetValue(id)!)}?body={(result.GetValue(body) ? "true" : "false")}";
            if (await common.SendAsync(HttpMethod.Get, path, result, cancellation) is not { } item)
            {
                return common.ExitCode;
            }

            await result.InvocationConfiguration.Output.WriteLineAsync(
                common.WantsJson(result) ? item.GetRawText() : WebhookTexts.Item(item));
            return 0;
        });
        return command;
    }

    private static Command Change(Option<string> config, string name, string path, string description, string done)
    {
        var (common, filter) = (new AdminOptions(config), new WebhookFilterOptions(States));
        var ids = new Argument<string[]>("id") { Description = "Ids of items, as list shows them.", Arity = ArgumentArity.ZeroOrMore };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only count." };
        var twice = new Option<bool>("--may-send-twice") { Description = "Also items that may have arrived already (unknown)." };
        var command = common.AddTo(filter.AddTo(new Command(name, description) { ids, dryRun }));
        if (name == "replay")
        {
            command.Add(twice);
        }

        command.SetAction(async (result, cancellation) =>
        {
            var named = result.GetValue(ids)!;
            if (named.Length == 0 && !filter.IsGiven(result))
            {
                await result.InvocationConfiguration.Error.WriteLineAsync($"Say what to {name}: ids, or a filter as --state dead.");
                return ExitCodes.Refused;
            }

            var total = new WebhookChangeTotal();
            string? next = "";
            while (next is not null)
            {
                var query = $"{filter.Query(result)}&dryRun={(result.GetValue(dryRun) ? "true" : "false")}"
                    + $"&maySendTwice={(name == "replay" && result.GetValue(twice) ? "true" : "false")}&max=1000&cursor={next}"
                    + string.Concat(named.Select(i => $"&id={Uri.EscapeDataString(i)}"));
                if (await common.SendAsync(HttpMethod.Post, $"{path}?{query}", result, cancellation) is not { } page)
                {
                    return common.ExitCode;
                }

                total.Add(page);
                next = page.GetProperty("next").GetString();
            }

            await result.InvocationConfiguration.Output.WriteLineAsync(
                common.WantsJson(result) ? total.Json() : total.Text(done, result.GetValue(dryRun)));
            return total.Refused.Count > 0 && named.Length > 0 ? ExitCodes.Refused : 0;
        });
        return command;
    }

    /// <summary>Items as a table.</summary>
    public static string Text(IReadOnlyList<JsonElement> items, string? next) =>
        $"{Table.Write(Head, [.. items.Select(Row)])}\nTimes are UTC."
        + (next is null ? "" : " There are more: use --max, or a filter.");

    private static string[] Row(JsonElement item) =>
    [
        WebhookTexts.Cell(item, "id"), WebhookTexts.Cell(item, "state"), WebhookTexts.Cell(item, "kind"), WebhookTexts.Cell(item, "source"),
        WebhookTexts.Cell(item, "subscriber"), WebhookTexts.Cell(item, "type"), Table.Time(item.GetProperty("received").GetDateTimeOffset()),
        WebhookTexts.Cell(item, "attempts"), WebhookTexts.Cell(item, "lastStatus"), WebhookTexts.Cell(item, "reason"),
    ];
}
