using System.CommandLine;

namespace SendProxy.Cli;

/// <summary><c>sendproxy find</c>: where is my message?</summary>
internal static class OutboxFind
{
    public static Command Create(Option<string> config)
    {
        var common = new AdminOptions(config);
        var reference = new Option<string?>("--reference") { Description = "What its application calls it (SendProxy-Reference)." };
        var key = new Option<string?>("--key") { Description = "Its idempotency key." };
        var messageId = new Option<string?>("--message-id") { Description = "The vendor's id of it." };
        var recipient = new Option<string?>("--recipient") { Description = "A text that stands in its body, as it is written there: +491701234567. Kept and logged nowhere." };
        var command = common.AddTo(new Command("find", "Find messages of the outbox, in whatever state. Exit 0; 1: refused, or none is found; 2: the configuration is bad; 3: no proxy answers.")
        {
            reference, key, messageId, recipient,
        });
        command.SetAction(async (result, cancellation) =>
        {
            (string Name, string? Value)[] asked =
                [("reference", result.GetValue(reference)), ("key", result.GetValue(key)), ("messageId", result.GetValue(messageId)), ("recipient", result.GetValue(recipient))];
            if (asked.All(a => a.Value is null))
            {
                await result.InvocationConfiguration.Error.WriteLineAsync("Say what to find: --reference, --key, --message-id or --recipient.");
                return Hosting.ExitCodes.Refused;
            }

            var query = "state=any" + string.Concat(asked.Where(a => a.Value is not null).Select(a => $"&{a.Name}={Uri.EscapeDataString(a.Value!)}"));
            if (await OutboxTexts.PagesAsync(common, query, 1000, result, cancellation) is not var (items, next))
            {
                return common.ExitCode;
            }

            await result.InvocationConfiguration.Output.WriteLineAsync(common.WantsJson(result) ? WebhookTexts.Json(items, next) : OutboxTexts.Table(items, next));
            return items.Count > 0 ? 0 : Hosting.ExitCodes.Refused;
        });
        return command;
    }
}
