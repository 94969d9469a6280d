using System.Text.Json.Serialization;
using SendProxy.Configuration;
using SendProxy.Secrets;

namespace SendProxy.Cli;

/// <summary>What <c>sendproxy check</c> found, as <c>--output json</c> prints it.</summary>
internal sealed record CheckReport(bool Good, IReadOnlyList<SettingsError> Errors, IReadOnlyList<string> Warnings)
{
    public static CheckReport Of(ProxySettings settings) => new(true, [], [.. WarningsOf(settings), .. MemoryChecks.Warnings(settings, Overload.MemoryLimit.OfThisProcess)]);

    public static CheckReport Of(SettingsException refused) => new(false, refused.Errors, []);

    // Not errors: a check runs in CI too, where no secrets are mounted.
    private static IEnumerable<string> WarningsOf(ProxySettings settings)
    {
        foreach (var warning in SettingsWarnings.Of(settings))
        {
            yield return warning;
        }

        foreach (var (name, source, format) in settings.Secrets())
        {
            foreach (var reading in source.Read())
            {
                var state = reading.Text is null ? reading.State : format.Judge(reading.Text);
                if (state != SecretState.Ok)
                {
                    yield return $"{name}: {source.Place}{Slot(reading.Slot)} is {SecretMetrics.Word(state)} for this user here: {SecretPoller.Advice(state)}";
                }

                if (reading.Text is { } text && state is SecretState.Ok or SecretState.Malformed && format.Difference(text) is { } difference)
                {
                    yield return $"{name}: {source.Place}{Slot(reading.Slot)}: {difference}{(state == SecretState.Ok ? "; it is used all the same, since the pattern is the preset's" : "")}";
                }
            }

            foreach (var exposure in source.Exposures())
            {
                yield return $"{name}: {exposure}";
            }
        }
    }

    private static string Slot(SecretSlot slot) => slot == SecretSlot.Current ? "" : $", its file {slot.ToString().ToLowerInvariant()},";
}

/// <summary>The JSON of commands' own reports.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(CheckReport))]
internal sealed partial class CliJson : JsonSerializerContext;
