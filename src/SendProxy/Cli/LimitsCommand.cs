using System.CommandLine;
using System.Globalization;
using SendProxy.Admin;
using SendProxy.Configuration;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary><c>sendproxy limits</c>: what a running proxy knows of the plan's limits, once or again and again.</summary>
internal static class LimitsCommand
{
    private const string Clear = "\u001b[H\u001b[2J";
    private static readonly string[] Head =
        ["LIMIT", "PLAN", "IN FORCE", "MODE", "LEFT NOW", "TAKEN", "WAITING", "PROCESSES", "BLOCKED", "VENDOR SAYS"];

    private const string Legend = """
        IN FORCE     what is kept to now; less than PLAN for the reason beside it
        MODE         ready: there is room. reserved: the plan is full, sends stand in line. local: no fleet.redis, this process alone keeps it.
                     share, closed: Redis is away. blocked: the vendor said 429. probing: a block has ended, one request goes first.
        LEFT NOW     permits that can be taken at this moment without a wait, as far as this process knows; of a quota: left of its period
        TAKEN        permits that this process took since it began: one (or its cost) for each attempt, failed ones and repetitions too
        WAITING      requests of this process that wait for a permit
        PROCESSES    that share the limit now
        BLOCKED      for how long nobody sends; sendproxy limits unblock NAME ends it, in the whole fleet
        VENDOR SAYS  its own headers, in its last answer
        """;

    public static Command Create(Option<string> config)
    {
        var common = new AdminOptions(config);
        var watch = new Option<string?>("--watch", "-w") { Description = "Show it again each so often, as in 1s, until Ctrl-C." };
        watch.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && !(Units.TryDuration(text, out var every) && every >= TimeSpan.FromMilliseconds(100)))
            {
                result.AddError($"--watch takes a duration from 100ms up: {Units.DurationForm}");
            }
        });
        var command = common.AddTo(new Command("limits",
            "Show the plan's limits as a running proxy keeps them: rate in force, use, who waits, mode, processes. Exit 0; 2: the configuration is bad; 3: no proxy answers.")
        {
            watch,
        });
        command.Subcommands.Add(Unblock(config));
        command.SetAction(async (result, cancellation) =>
        {
            var every = result.GetValue(watch);
            while (true)
            {
                var code = await common.PrintAsync(
                    HttpMethod.Get, AdminSocket.LimitsPath, AdminJson.Default.LimitsView, Text, result, cancellation, before: every is null ? "" : Clear);
                if (code != 0 || every is null || !Units.TryDuration(every, out var pause))
                {
                    return code;
                }

                await Task.Delay(pause, TimeProvider.System, cancellation);
            }
        });
        return command;
    }

    private static Command Unblock(Option<string> config)
    {
        var common = new AdminOptions(config);
        var name = new Argument<string>("name") { Description = "The limit, as the configuration names it." };
        var command = common.AddTo(new Command("unblock",
            "End a block: the vendor asked to wait, and you know that it answers again. In the whole fleet. Exit 0; 1: there is no such limit; 2: the configuration is bad; 3: no proxy answers.")
        {
            name,
        });
        command.SetAction((result, cancellation) => common.PrintAsync(
            HttpMethod.Post, $"{AdminSocket.UnblockPath}?limit={Uri.EscapeDataString(result.GetValue(name)!)}", AdminJson.Default.UnblockView, Unblocked,
            result, cancellation));
        return command;
    }

    private static string Unblocked(UnblockView view)
    {
        var where = view.Scope == "fleet" ? "in the whole fleet" : "in this process only: no Redis answers that would tell the others";
        return !view.CanBeBlocked ? $"The limit {view.Limit} is a quota: it is never blocked, and begins anew with its period."
            : view.BlockedSeconds > 0 ? $"The limit {view.Limit} is no longer blocked, {where}. {Number(view.BlockedSeconds)} s of the block were left."
            : $"The limit {view.Limit} was not blocked here. Any block of it has ended {where}.";
    }

    /// <summary>The answer as a table.</summary>
    private static string Text(LimitsView view) => view.Limits.Count == 0
        ? "This proxy has no limits."
        : $"{Table.Write(Head, [.. view.Limits.Select(Row)])}\n{Legend}";

    private static string[] Row(LimitStatusView limit) =>
    [
        limit.Limit, limit.Plan, limit.InForce, limit.Mode, Number(limit.Left), Number(limit.Used), Number(limit.Waiting), Number(limit.Processes),
        limit.BlockedSeconds > 0 ? $"{Number(limit.BlockedSeconds)} s" : "-",
        limit.VendorRemaining is null && limit.VendorLimit is null
            ? "-"
            : $"{Number(limit.VendorRemaining)} of {Number(limit.VendorLimit)} left{(limit.VendorResetSeconds is { } reset ? $", reset in {Number(reset)} s" : "")}",
    ];

    private static string Number(double? number) => number?.ToString("0.#", CultureInfo.InvariantCulture) ?? "-";
}
