using System.CommandLine;
using System.Text.Json;
using SendProxy.Configuration;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary>
/// <c>sendproxy check</c>: reads the configuration as serving would, looks where it points, tells everything that is wrong, exits 0 or 2.
/// </summary>
internal static class CheckCommand
{
    public static Command Create(Option<string> config)
    {
        var output = new Option<string>("--output", "-o") { Description = "text or json.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        (Option<bool> Flag, Func<string> Print)[] printed =
        [
            (new("--print-example") { Description = "Print a short configuration to fill in instead." }, Example),
            (new("--print-schema") { Description = "Print the JSON schema of the configuration instead." }, () => SchemaWriter.Write(ProxySettings.Describe())),
            (new("--print-reference") { Description = "Print docs/CONFIGURATION.md instead." }, () => ReferenceWriter.Write(ProxySettings.Describe())),
        ];
        var alone = new Option<bool>("--config-only")
        {
            Description = "Look at the configuration alone, not at the secrets, the journal and the addresses that it names: for CI, where they are not.",
        };
        var check = new Command("check",
            "Check the configuration, and what it names, as this user on this machine. Exit 0: serving would start; 2: it would be refused, for each error. Warnings say what would not work.")
        {
            output, alone,
        };
        Array.ForEach(printed, p => check.Add(p.Flag));
        check.SetAction(result =>
        {
            var to = result.InvocationConfiguration.Output;
            if (Array.Find(printed, p => result.GetValue(p.Flag)).Print is { } print)
            {
                to.Write(print());
                return 0;
            }

            return Run(result.GetValue(config)!, result.GetValue(alone), result.GetValue(output) == "json", to);
        });
        return check;
    }

    private static int Run(string path, bool alone, bool json, TextWriter to)
    {
        var summary = "";
        CheckReport report;
        try
        {
            var settings = ProxySettings.Load(path, Environment.GetEnvironmentVariable);
            report = CheckReport.Of(settings, path, alone ? [] : StartChecks.Of(settings, AdminSocket.IsAnswered(settings.AdminPlaces(path))));
            summary = report.Errors.Count > 0 ? $"{path}: {Count(report.Errors.Count, "error")}: serving would not start."
                : report.Warnings.Count > 0 ? $"{path} can be served. {Count(report.Warnings.Count, "warning")} above: what would not work, or may not be meant."
                : $"{path} is good: {Count(settings.Upstreams.Count, "upstream")}, {Count(settings.Routes.Count, "route")}, {Count(settings.Limits.Count, "limit")}, "
                + $"{Count(settings.Webhooks.Sources.Count, "webhook source")}, {Count(settings.Webhooks.Subscribers.Count, "subscriber")}.";
        }
        catch (SettingsException e)
        {
            report = CheckReport.Of(e);
            summary = $"{path}: {Count(e.Errors.Count, "error")}. Every setting, with its bounds: sendproxy check --print-reference.";
        }

        to.WriteLine(json
            ? JsonSerializer.Serialize(report, CliJson.Default.CheckReport)
            : string.Join(Environment.NewLine, [.. report.Warnings.Select(w => $"warning: {w}"), .. report.Errors.Select(e => e.ToString()), summary]));
        return report.Good ? 0 : ExitCodes.BadConfiguration;
    }

    private static string Count(int number, string thing) => $"{number} {thing}{(number == 1 ? "" : "s")}";

    private static string Example()
    {
        using var stream = typeof(CheckCommand).Assembly.GetManifestResourceStream("proxy.yaml")!;
        return new StreamReader(stream).ReadToEnd();
    }
}
