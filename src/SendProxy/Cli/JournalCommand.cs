using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary><c>sendproxy journal keys</c>: which seal keys the journal still needs, and which may be taken away.</summary>
internal static class JournalCommand
{
    private static readonly string[] Head = ["SEAL KEY", "SEALS", "ITEMS", "OLDEST ITEM", "ANSWERS", "SAFE TO REMOVE", "FILE"];

    public static Command Create(Option<string> config)
    {
        var output = new Option<string>("--output", "-o") { Description = "text or json.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        var socket = new Option<string?>("--socket") { Description = "The admin socket; by default where the configuration puts it." };
        var keys = new Command("keys",
            "List the seal keys of a running proxy's journal, how many stored items need each, and whether it may be taken away. Exit 0; 1: there is no journal; 2: the configuration is bad; 3: no proxy answers.")
        {
            output, socket,
        };
        keys.SetAction(async (result, cancellation) =>
        {
            var (json, problem, code) = await AdminClient.GetAsync(
                AdminSocket.JournalKeysPath, result.GetValue(socket), result.GetValue(config)!, cancellation);
            if (json is null)
            {
                await result.InvocationConfiguration.Error.WriteLineAsync(problem);
                return code;
            }

            await result.InvocationConfiguration.Output.WriteLineAsync(result.GetValue(output) == "json" ? json : Text(json));
            return 0;
        });
        return new Command("journal", "The journal of a running proxy.") { keys };
    }

    /// <summary>The answer's JSON as a table.</summary>
    public static string Text(string json)
    {
        using var document = JsonDocument.Parse(json);
        var rows = document.RootElement.GetProperty("keys").EnumerateArray().Select(Row).ToArray();
        return $"{Table.Write(Head, rows)}\nTimes are UTC. ITEMS are neither done nor discarded; ANSWERS are recorded for idempotency keys."
            + (document.RootElement.GetProperty("answersElsewhere").GetBoolean()
                ? " Answers in Redis are not counted: keep a key until the lifetime of idempotency keys is over since the new key stood first in every process."
                : "");
    }

    private static string[] Row(JsonElement key)
    {
        string Number(string name) => key.GetProperty(name).GetInt64().ToString(CultureInfo.InvariantCulture);
        return
        [
            key.GetProperty("id").GetString()!, key.GetProperty("seals").GetBoolean() ? "yes" : "no", Number("items"),
            Table.Time(key.GetProperty("oldestItem")), Number("answers"),
            $"{(key.GetProperty("safeToRemove").GetBoolean() ? "yes" : "no")}: {key.GetProperty("why").GetString()}",
            key.GetProperty("file").GetString() ?? "-",
        ];
    }
}
