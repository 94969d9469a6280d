using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SendProxy.Configuration;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary><c>sendproxy limits</c>: what a running proxy knows of the plan's limits, once or again and again.</summary>
internal static class LimitsCommand
{
    private const string Clear = "\u001b[H\u001b[2J";
    private static readonly string[] Head =
        ["LIMIT", "PLAN", "IN FORCE", "MODE", "LEFT", "USED", "WAITING", "PROCESSES", "BLOCKED", "VENDOR SAYS"];

    public static Command Create(Option<string> config)
    {
        var output = new Option<string>("--output", "-o") { Description = "text or json.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        var socket = new Option<string?>("--socket") { Description = "The admin socket; by default where the configuration puts it." };
        var watch = new Option<string?>("--watch", "-w") { Description = "Show it again each so often, as in 1s, until Ctrl-C." };
        watch.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && !(Units.TryDuration(text, out var every) && every >= TimeSpan.FromMilliseconds(100)))
            {
                result.AddError($"--watch takes a duration from 100ms up: {Units.DurationForm}");
            }
        });
        var command = new Command("limits",
            "Show the plan's limits as a running proxy keeps them: rate in force, use, who waits, mode, processes. Exit 0; 2: the configuration is bad; 3: no proxy answers.")
        {
            output, socket, watch,
        };
        command.Subcommands.Add(Unblock(config, socket));
        command.SetAction(async (result, cancellation) =>
        {
            var (text, every) = (result.GetValue(output) != "json", result.GetValue(watch));
            while (true)
            {
                var (json, problem, code) = await AdminClient.GetAsync(
                    AdminSocket.LimitsPath, result.GetValue(socket), result.GetValue(config)!, cancellation);
                if (json is null)
                {
                    await result.InvocationConfiguration.Error.WriteLineAsync(problem);
                    return code;
                }

                await result.InvocationConfiguration.Output.WriteLineAsync((every is not null && text ? Clear : "") + (text ? Text(json) : json));
                if (every is null || !Units.TryDuration(every, out var pause))
                {
                    return 0;
                }

                await Task.Delay(pause, TimeProvider.System, cancellation);
            }
        });
        return command;
    }

    private static Command Unblock(Option<string> config, Option<string?> socket)
    {
        var name = new Argument<string>("name") { Description = "The limit, as the configuration names it." };
        var command = new Command("unblock",
            "End a block: the vendor asked to wait, and you know that it answers again. In the whole fleet. Exit 0; 1: there is no such limit; 2: the configuration is bad; 3: no proxy answers.")
        {
            name, socket,
        };
        command.SetAction(async (result, cancellation) =>
        {
            var (json, problem, code) = await AdminClient.SendAsync(
                HttpMethod.Post, $"{AdminSocket.UnblockPath}?limit={Uri.EscapeDataString(result.GetValue(name)!)}", result.GetValue(socket), result.GetValue(config)!, cancellation);
            await (json is null ? result.InvocationConfiguration.Error : result.InvocationConfiguration.Output).WriteLineAsync(json is null ? problem : Unblocked(json));
            return code;
        });
        return command;
    }

    /// <summary>The answer to an unblock, for people.</summary>
    public static string Unblocked(string json)
    {
        using var document = JsonDocument.Parse(json);
        var answer = document.RootElement;
        var (limit, seconds) = (answer.GetProperty("limit").GetString(), answer.GetProperty("blockedSeconds").GetDouble());
        var where = answer.GetProperty("scope").GetString() == "fleet" ? "in the whole fleet" : "in this process only: no Redis answers that would tell the others";
        return !answer.GetProperty("canBeBlocked").GetBoolean() ? $"The limit {limit} is a quota: it is never blocked, and begins anew with its period."
            : seconds > 0 ? string.Create(CultureInfo.InvariantCulture, $"The limit {limit} is no longer blocked, {where}. {seconds:0.#} s of the block were left.")
            : $"The limit {limit} was not blocked here. Any block of it has ended {where}.";
    }

    /// <summary>The answer's JSON as a table.</summary>
    public static string Text(string json)
    {
        using var document = JsonDocument.Parse(json);
        var rows = document.RootElement.GetProperty("limits").EnumerateArray().Select(Row).ToArray();
        return rows.Length == 0
            ? "This proxy has no limits."
            : $"{Table.Write(Head, rows)}\n"
                + "USED and WAITING are this process's own. MODE: ready (there is room), reserved (the plan is full: in line), local (one process), "
                + "share (Redis is away), blocked (the vendor said 429; sendproxy limits unblock NAME ends it), probing (a block has ended, one request goes first).";
    }

    private static string[] Row(JsonElement limit)
    {
        string Of(string name) => limit.GetProperty(name) switch
        {
            { ValueKind: JsonValueKind.Null } => "-",
            { ValueKind: JsonValueKind.Number } number => number.GetDouble().ToString("0.#", CultureInfo.InvariantCulture),
            var text => text.GetString() is { Length: > 0 } some ? some : "-",
        };

        var blocked = limit.GetProperty("blockedSeconds").GetDouble();
        var vendor = Of("vendorRemaining") == "-" && Of("vendorLimit") == "-"
            ? "-"
            : $"{Of("vendorRemaining")} of {Of("vendorLimit")} left{(Of("vendorResetSeconds") == "-" ? "" : $", reset in {Of("vendorResetSeconds")} s")}";
        return
        [
            Of("limit"), Of("plan"), Of("inForce"), Of("mode"), Of("left"), Of("used"), Of("waiting"), Of("processes"),
            blocked > 0 ? $"{blocked.ToString("0.#", CultureInfo.InvariantCulture)} s" : "-", vendor,
        ];
    }
}
