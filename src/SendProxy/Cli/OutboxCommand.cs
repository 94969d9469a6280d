using System.CommandLine;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary><c>sendproxy outbox list|show|replay|discard|purge|edit|pause|resume|export</c>: stored messages, seen and moved by hand.</summary>
internal static class OutboxCommand
{
    private const string Exit = "Exit 0; 1: refused; 2: the configuration is bad; 3: no proxy answers.";
    private const int PageItems = 1000;

    public static Command Create(Option<string> config) => new("outbox", "Messages that were accepted to be sent later.")
    {
        List(config), Show(config),
        Change(config, "replay", AdminSocket.OutboxReplayPath, "Send failed and expired messages again, under their idempotency key. Name ids, or a filter. " + Exit, "replayed"),
        Change(config, "discard", AdminSocket.OutboxDiscardPath, "End messages for good: they are not sent. Name ids, or a filter. " + Exit, "discarded"),
        Change(config, "purge", AdminSocket.OutboxDiscardPath, "End all messages that a filter means, those that wait too; needs a --state. Look first with --dry-run. " + Exit, "discarded"),
        Edit(config), Pause(config, "pause", AdminSocket.OutboxPausePath, "Stop sending the stored messages of a route; new ones are still accepted. " + Exit),
        Pause(config, "resume", AdminSocket.OutboxResumePath, "Let the stored messages of a paused route go on. " + Exit),
        Export(config),
    };

    private static Command List(Option<string> config)
    {
        var (common, filter) = (new AdminOptions(config), new OutboxFilterOptions());
        var max = new Option<int>("--max") { Description = "Most messages to show.", DefaultValueFactory = _ => 100 };
        var command = common.AddTo(filter.AddTo(new Command("list",
            "List messages: by default those that need a person, which are held, failed, unknown and expired ones. " + Exit) { max }));
        command.SetAction(async (result, cancellation) =>
        {
            if (await OutboxTexts.PagesAsync(common, filter.Query(result), result.GetValue(max), result, cancellation) is not var (items, next))
            {
                return common.ExitCode;
            }

            await result.InvocationConfiguration.Output.WriteLineAsync(common.WantsJson(result) ? WebhookTexts.Json(items, next) : OutboxTexts.Table(items, next));
            return 0;
        });
        return command;
    }

    private static Command Show(Option<string> config)
    {
        var common = new AdminOptions(config);
        var id = new Argument<string>("id") { Description = "The message's id, as list shows it." };
        var body = new Option<bool>("--body") { Description = "Also print the body and the vendor's answer. They may name recipients." };
        var command = common.AddTo(new Command("show", "Show one message. " + Exit) { id, body });
        command.SetAction(async (result, cancellation) =>
        {
            var path = $"{AdminSocket.OutboxPath}/{Uri.EscapeDataString(result.GetValue(id)!)}?body={(result.GetValue(body) ? "true" : "false")}";
            if (await common.SendAsync(HttpMethod.Get, path, result, cancellation) is not { } item)
            {
                return common.ExitCode;
            }

            await result.InvocationConfiguration.Output.WriteLineAsync(common.WantsJson(result) ? item.GetRawText() : OutboxTexts.Item(item));
            return 0;
        });
        return command;
    }

    private static Command Change(Option<string> config, string name, string path, string description, string done)
    {
        var (common, filter) = (new AdminOptions(config), new OutboxFilterOptions());
        var ids = new Argument<string[]>("id") { Description = "Ids of messages, as list shows them.", Arity = name == "purge" ? ArgumentArity.Zero : ArgumentArity.ZeroOrMore };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only count." };
        var twice = new Option<bool>("--may-send-twice") { Description = "Also messages that may have been sent already (unknown)." };
        var rate = new Option<int>("--rate") { Description = "Most messages a second to replay; 0: as fast as it goes." };
        var command = common.AddTo(filter.AddTo(new Command(name, description) { dryRun }));
        if (name != "purge")
        {
            command.Add(ids);
        }

        if (name == "replay")
        {
            command.Add(twice);
            command.Add(rate);
        }

        command.SetAction(async (result, cancellation) =>
        {
            var named = name == "purge" ? [] : result.GetValue(ids)!;
            var query = filter.Query(result);
            if (named.Length == 0 && (query.Length == 0 || (name == "purge" && !query.Contains("state=", StringComparison.Ordinal))))
            {
                await result.InvocationConfiguration.Error.WriteLineAsync(name == "purge" ? "Say what to purge: a --state at least." : $"Say what to {name}: ids, or a filter as --state failed.");
                return ExitCodes.Refused;
            }

            var isReplay = name == "replay";
            var perSecond = isReplay ? result.GetValue(rate) : 0;
            var total = new WebhookChangeTotal();
            string? next = "";
            while (next is not null)
            {
                var asked = $"{query}&dryRun={(result.GetValue(dryRun) ? "true" : "false")}&maySendTwice={(isReplay && result.GetValue(twice) ? "true" : "false")}"
                    + $"&max={(perSecond > 0 ? Math.Min(perSecond, PageItems) : PageItems)}&cursor={next}" + string.Concat(named.Select(i => $"&id={Uri.EscapeDataString(i)}"));
                if (await common.SendAsync(HttpMethod.Post, $"{path}?{asked}", result, cancellation) is not { } page)
                {
                    return common.ExitCode;
                }

                total.Add(page);
                next = page.GetProperty("next").GetString();
                if (next is not null && perSecond > 0 && !result.GetValue(dryRun))
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellation);
                }
            }

            await result.InvocationConfiguration.Output.WriteLineAsync(common.WantsJson(result) ? total.Json() : total.Text(done, result.GetValue(dryRun)));
            return total.Refused.Count > 0 && named.Length > 0 ? ExitCodes.Refused : 0;
        });
        return command;
    }

    private static Command Edit(Option<string> config)
    {
        var common = new AdminOptions(config);
        var id = new Argument<string>("id") { Description = "The message's id, as list shows it." };
        var body = new Option<string>("--body-file") { Description = "A file with the new body.", Required = true };
        var command = common.AddTo(new Command("edit",
            "Give a message that waits or failed another body, and with it another idempotency key. Refused where it may have been sent. A failed one is sent by replay. " + Exit) { id, body });
        command.SetAction(async (result, cancellation) =>
        {
            if (!File.Exists(result.GetValue(body)))
            {
                await result.InvocationConfiguration.Error.WriteLineAsync($"There is no file {result.GetValue(body)}.");
                return ExitCodes.Refused;
            }

            var content = await File.ReadAllBytesAsync(result.GetValue(body)!, cancellation);
            if (await common.SendAsync(HttpMethod.Post, $"{AdminSocket.OutboxEditPath}?id={Uri.EscapeDataString(result.GetValue(id)!)}", result, cancellation, content) is not { } answer)
            {
                return common.ExitCode;
            }

            await result.InvocationConfiguration.Output.WriteLineAsync(common.WantsJson(result) ? answer.GetRawText() : "The message has the new body and another idempotency key.");
            return 0;
        });
        return command;
    }

    private static Command Pause(Option<string> config, string name, string path, string description)
    {
        var common = new AdminOptions(config);
        var route = new Argument<string>("route") { Description = "The route's name." };
        var command = common.AddTo(new Command(name, description) { route });
        command.SetAction(async (result, cancellation) =>
        {
            if (await common.SendAsync(HttpMethod.Post, $"{path}?route={Uri.EscapeDataString(result.GetValue(route)!)}", result, cancellation) is not { } answer)
            {
                return common.ExitCode;
            }

            var waiting = answer.GetProperty("waiting").GetInt64();
            await result.InvocationConfiguration.Output.WriteLineAsync(common.WantsJson(result) ? answer.GetRawText()
                : !answer.GetProperty("changed").GetBoolean() ? $"The route {result.GetValue(route)} was not paused."
                : name == "pause" ? $"The route {result.GetValue(route)} is paused: {waiting} messages wait." : $"The route {result.GetValue(route)} goes on with {waiting} messages.");
            return 0;
        });
        return command;
    }

    private static Command Export(Option<string> config)
    {
        var (common, filter) = (new AdminOptions(config), new OutboxFilterOptions());
        var body = new Option<bool>("--body") { Description = "Also bodies and vendors' answers. They may name recipients." };
        var command = common.AddTo(filter.AddTo(new Command("export", "Print messages as JSON lines, one a message; by default those that need a person. " + Exit) { body }));
        command.SetAction(async (result, cancellation) =>
        {
            string? next = "";
            while (next is not null)
            {
                if (await common.SendAsync(HttpMethod.Get, $"{AdminSocket.OutboxPath}?{filter.Query(result)}&max={PageItems}&cursor={next}", result, cancellation) is not { } page)
                {
                    return common.ExitCode;
                }

                foreach (var item in page.GetProperty("items").EnumerateArray())
                {
                    var path = $"{AdminSocket.OutboxPath}/{item.GetProperty("id").GetString()}?body={(result.GetValue(body) ? "true" : "false")}";
                    if (await common.SendAsync(HttpMethod.Get, path, result, cancellation) is { } whole)
                    {
                        await result.InvocationConfiguration.Output.WriteLineAsync(whole.GetRawText());
                    }
                }

                next = page.GetProperty("next").GetString();
            }

            return 0;
        });
        return command;
    }
}
