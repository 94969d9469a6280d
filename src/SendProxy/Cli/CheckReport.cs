using System.Text.Json.Serialization;
using SendProxy.Configuration;

namespace SendProxy.Cli;

/// <summary>What <c>sendproxy check</c> found, as <c>--output json</c> prints it.</summary>
/// <param name="Good">Serving would start.</param>
/// <param name="Errors">What it would be refused for.</param>
/// <param name="Warnings">What would not work, or may not be meant, each with its place.</param>
internal sealed record CheckReport(bool Good, IReadOnlyList<SettingsError> Errors, IReadOnlyList<string> Warnings)
{
    /// <param name="path">The configuration's file.</param>
    /// <param name="found">What was found where the configuration points; empty where nobody looked.</param>
    public static CheckReport Of(ProxySettings settings, string path, IEnumerable<StartFinding> found)
    {
        var all = found.ToLookup(f => f.StopsStart, f => ErrorOf(settings, path, f.Setting, f.Message));
        string[] warnings =
        [
            .. SettingsWarnings.Of(settings).Concat(MemoryChecks.Warnings(settings, Overload.MemoryLimit.OfThisProcess)).Select(w => Placed(settings, path, w)),
            .. all[false].Select(e => e.ToString()),
        ];
        return new(!all[true].Any(), [.. all[true]], warnings);
    }

    public static CheckReport Of(SettingsException refused) => new(false, refused.Errors, []);

    private static SettingsError ErrorOf(ProxySettings settings, string path, string setting, string message)
    {
        var (file, line, column) = settings.PlaceOf(setting) ?? new SettingsPlace(path, 0, 0);
        return new SettingsError(file, line, column, setting, message);
    }

    // Each begins with the setting that it is about, where it is about one.
    private static string Placed(ProxySettings settings, string path, string warning)
    {
        var setting = warning[..Math.Max(0, warning.AsSpan().IndexOfAny(':', ' '))];
        var (file, line, column) = settings.PlaceOf(setting) ?? new SettingsPlace(path, 0, 0);
        return line > 0 ? $"{file}:{line}:{column}: {warning}" : $"{file}: {warning}";
    }
}

/// <summary>The JSON of commands' own reports.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(CheckReport))]
internal sealed partial class CliJson : JsonSerializerContext;
