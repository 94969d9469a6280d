using System.CommandLine;
using System.Text.Json;
using SendProxy.Configuration;
using SendProxy.Secrets;

namespace SendProxy.Cli;

/// <summary><c>sendproxy check</c>: reads the configuration as serving would, tells everything that is wrong, exits 0 or 2.</summary>
internal static class CheckCommand
{
    public const int Bad = ExitCodes.BadConfiguration;

    public static Command Create(Option<string> config)
    {
        var output = new Option<string>("--output", "-o") { Description = "text or json.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        var schema = new Option<bool>("--print-schema") { Description = "Print the JSON schema of the configuration instead." };
        var reference = new Option<bool>("--print-reference") { Description = "Print docs/CONFIGURATION.md instead." };
        var check = new Command("check", "Check the configuration; exit 0 when it is good, 2 when it is not.") { output, schema, reference };
        check.SetAction(result =>
        {
            var to = result.InvocationConfiguration.Output;
            if (result.GetValue(schema))
            {
                to.Write(SchemaWriter.Write(ProxySettings.Describe()));
                return 0;
            }

            if (result.GetValue(reference))
            {
                to.Write(ReferenceWriter.Write(ProxySettings.Describe()));
                return 0;
            }

            return Run(result.GetValue(config)!, result.GetValue(output) == "json", to);
        });
        return check;
    }

    private static int Run(string path, bool json, TextWriter to)
    {
        try
        {
            var settings = ProxySettings.Load(path, Environment.GetEnvironmentVariable);
            var warnings = Warnings(settings).ToArray();
            Write(path, [], warnings, json, to);
            if (!json)
            {
                to.WriteLine($"{path} is good: {settings.Upstreams.Count} upstreams, {settings.Routes.Count} routes, {settings.Limits.Count} limits, "
                    + $"{settings.Webhooks.Sources.Count} webhook sources, {settings.Webhooks.Subscribers.Count} subscribers.");
            }

            return 0;
        }
        catch (SettingsException e)
        {
            Write(path, e.Errors, [], json, to);
            return Bad;
        }
    }

    // Not errors: a check runs in CI too, where no secrets are mounted.
    private static IEnumerable<string> Warnings(ProxySettings settings) =>
        from secret in settings.Secrets()
        let reading = secret.Source.Read()[0]
        let state = reading.Text is null ? reading.State : secret.Form.Judge(reading.Text)
        where state != SecretState.Ok
        select $"{secret.Name}: {secret.Source.Place} is {SecretMetrics.Word(state)} for this user here: {SecretPoller.Advice(state)}";

    private static void Write(string path, IReadOnlyList<SettingsError> errors, IReadOnlyList<string> warnings, bool json, TextWriter to)
    {
        if (!json)
        {
            foreach (var warning in warnings)
            {
                to.WriteLine($"warning: {warning}");
            }

            foreach (var error in errors)
            {
                to.WriteLine(error);
            }

            if (errors.Count > 0)
            {
                to.WriteLine($"{path}: {errors.Count} {(errors.Count == 1 ? "error" : "errors")}. Every setting is in docs/CONFIGURATION.md.");
            }

            return;
        }

        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteBoolean("good", errors.Count == 0);
            writer.WriteStartArray("errors");
            foreach (var error in errors)
            {
                writer.WriteStartObject();
                writer.WriteString("file", error.File);
                writer.WriteNumber("line", error.Line);
                writer.WriteNumber("column", error.Column);
                writer.WriteString("path", error.Path);
                writer.WriteString("message", error.Message);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteStartArray("warnings");
            foreach (var warning in warnings)
            {
                writer.WriteStringValue(warning);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        to.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan));
    }
}
