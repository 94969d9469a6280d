using System.Text;

namespace SendProxy.Configuration;

/// <summary>Makes docs/CONFIGURATION.md out of the settings' own descriptions.</summary>
internal static class ReferenceWriter
{
    private const string Head = """
        # Configuration
        One YAML file, `config/proxy.yaml` unless `--config` or `SENDPROXY_CONFIG` names another. This page is made by
        `sendproxy check --print-reference` from the same calls that read the settings; a test compares both.

        - Durations are `250ms 5s 15m 24h 3d`, sizes `64KiB 1MiB`, rates `100/s 1000/min`, shares `20%`. A bare number where a unit is needed is an error.
        - `${NAME}`, `${NAME:-default}` and `${file:path}` stand for an environment variable and a file's text, in values that are not secret. `$${` is a plain `${`.
        - Relative paths are relative to the file that names them. Unknown settings are refused. `sendproxy check` tells everything that is wrong at once.
        - A change is applied within some seconds, without a restart, and one to a file that something rewrites all the time within about ten; what cannot be changed while running (`roles`, `listen`, `fleet`, `journal`, `telemetry`, `shutdown`, `process.allowCoreDumps`) is refused by name, and a bad change leaves the old configuration in force.
        - `NAME` is a name of yours, `[]` an element of a list. *Preset* settings normally come from `preset:`.

        """;

    public static string Write(IReadOnlyCollection<SettingDescription> settings)
    {
        var text = new StringBuilder(Head.ReplaceLineEndings("\n"));
        foreach (var group in settings.GroupBy(s => s.Path.Split('.')[0].Replace("[]", "", StringComparison.Ordinal)))
        {
            text.Append('\n').Append("## ").Append(group.Key).Append('\n');
            if (group.FirstOrDefault(s => s.Path == group.Key) is { Kind: SettingKind.Section or SettingKind.Map or SettingKind.Sections } section)
            {
                text.Append(section.Doc).Append("\n\n");
            }

            text.Append("| setting | form | default | |\n|---|---|---|---|\n");
            foreach (var setting in group.Where(s => s.Kind is not (SettingKind.Section or SettingKind.Map or SettingKind.Sections)))
            {
                Row(text, setting);
            }
        }

        return text.ToString();
    }

    private static void Row(StringBuilder text, SettingDescription setting)
    {
        var form = setting.Kind is SettingKind.Choice or SettingKind.Flag ? setting.Bounds
            : setting.Bounds.Length > 0 ? $"{Word(setting.Kind)}, {setting.Bounds}" : Word(setting.Kind);
        var fallback = setting.Required ? "**required**" : setting.Default is null or "null" or "[]" or "{}" ? "" : $"`{setting.Default}`";
        text.Append("| `").Append(setting.Path).Append("` | ").Append(Cell(form)).Append(" | ").Append(Cell(fallback)).Append(" | ").Append(Cell(setting.Doc)).Append(" |\n");
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static string Word(SettingKind kind) => kind switch
    {
        SettingKind.Texts => "list of texts",
        SettingKind.TextMap => "mapping of texts",
        SettingKind.Integer => "whole number",
        SettingKind.Pointer => "JSON pointer",
        SettingKind.Url => "address",
        SettingKind.File => "path",
        SettingKind.Pattern => "pattern",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
