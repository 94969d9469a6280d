using System.CommandLine;
using System.Globalization;
using SendProxy.Admin;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary><c>sendproxy journal keys</c>: which seal keys the journal still needs, and which may be taken away.</summary>
internal static class JournalCommand
{
    private static readonly string[] Head = ["SEAL KEY", "SEALS", "ITEMS", "OLDEST ITEM", "ANSWERS", "SAFE TO REMOVE", "FILE"];

    public static Command Create(Option<string> config)
    {
        var common = new AdminOptions(config);
        var keys = common.AddTo(new Command("keys",
            "List the seal keys of a running proxy's journal, how many stored items need each, and whether it may be taken away. Exit 0; 1: there is no journal; 2: the configuration is bad; 3: no proxy answers."));
        keys.SetAction((result, cancellation) => common.PrintAsync(
            HttpMethod.Get, AdminSocket.JournalKeysPath, AdminJson.Default.JournalKeysView, Text, result, cancellation));
        return new Command("journal", "The journal of a running proxy.") { keys };
    }

    /// <summary>The answer as a table.</summary>
    private static string Text(JournalKeysView view) =>
        $"{Table.Write(Head, [.. view.Keys.Select(Row)])}\nTimes are UTC. ITEMS are neither done nor discarded; ANSWERS are recorded for idempotency keys."
        + (view.AnswersElsewhere
            ? " Answers in Redis are not counted: keep a key until the lifetime of idempotency keys is over since the new key stood first in every process."
            : "");

    private static string[] Row(JournalKeyView key) =>
    [
        key.Id, key.Seals ? "yes" : "no", key.Items.ToString(CultureInfo.InvariantCulture), Table.Time(key.OldestItem),
        key.Answers.ToString(CultureInfo.InvariantCulture), $"{(key.SafeToRemove ? "yes" : "no")}: {key.Why}", key.File ?? "-",
    ];
}
