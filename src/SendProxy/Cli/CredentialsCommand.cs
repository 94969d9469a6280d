using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary><c>sendproxy credentials</c>: the keys of a running proxy, and which of them may be revoked.</summary>
internal static class CredentialsCommand
{
    private static readonly string[] Head =
        ["UPSTREAM", "SLOT", "FINGERPRINT", "STATE", "LOADED", "LAST ACCEPTED", "ANSWERS", "REJECTED", "RESTS UNTIL", "SAFE TO REVOKE", "FROM"];

    public static Command Create(Option<string> config)
    {
        var output = new Option<string>("--output", "-o") { Description = "text or json.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        var socket = new Option<string?>("--socket") { Description = "The admin socket; by default where the configuration puts it." };
        var command = new Command("credentials",
            "List the keys of a running proxy by fingerprint, and whether each may be revoked. Exit 0; 2: the configuration is bad; 3: no proxy answers.")
        {
            output, socket,
        };
        command.SetAction(async (result, cancellation) =>
        {
            var (json, problem, code) = await AdminClient.GetAsync(
                AdminSocket.CredentialsPath, result.GetValue(socket), result.GetValue(config)!, cancellation);
            if (json is null)
            {
                await result.InvocationConfiguration.Error.WriteLineAsync(problem);
                return code;
            }

            await result.InvocationConfiguration.Output.WriteLineAsync(result.GetValue(output) == "json" ? json : Text(json));
            return 0;
        });
        return command;
    }

    /// <summary>The answer's JSON as a table.</summary>
    public static string Text(string json)
    {
        using var document = JsonDocument.Parse(json);
        var rows = document.RootElement.GetProperty("credentials").EnumerateArray().Select(Row).ToArray();
        return rows.Length == 0
            ? "This proxy has no upstream keys."
            : $"{Table.Write(Head, rows)}\n" + (document.RootElement.GetProperty("scope").GetString() == "fleet"
                ? "Times are UTC. LAST ACCEPTED is the fleet's, some seconds old; counts and running attempts are this process's own."
                : "Times are UTC. Counts are this process's own since it started: ask every process before you revoke a key.");
    }

    private static string[] Row(JsonElement key)
    {
        string Of(string name) => key.GetProperty(name) switch
        {
            { ValueKind: JsonValueKind.Null } => "-",
            { ValueKind: JsonValueKind.Number } number => number.GetInt64().ToString(CultureInfo.InvariantCulture),
            var text => text.GetString() is { Length: > 0 } some ? some : "-",
        };

        return
        [
            Of("upstream"), Of("slot"), Of("fingerprint"), Of("state"), Of("loadedAt"), Of("lastAcceptedAt"), Of("answers"), Of("rejected"), Of("restsUntil"),
            $"{(key.GetProperty("safeToRevoke").GetBoolean() ? "yes" : "no")}: {Of("why")}", Of("from"),
        ];
    }
}
