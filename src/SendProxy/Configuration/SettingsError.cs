namespace SendProxy.Configuration;

/// <summary>One thing that is wrong in a configuration: where it stands, what it is called, what to do.</summary>
/// <param name="File">The file as the operator named it, or <c>preset NAME</c> for an embedded one.</param>
/// <param name="Line">From 1; 0 where no line can be named (the file is missing).</param>
/// <param name="Column">From 1; 0 where there is none.</param>
/// <param name="Path">The setting, dotted: <c>upstreams.sendapi.retry.attempts</c>; empty for the whole file.</param>
/// <param name="Message">A sentence for a stranger. Never holds the value of a secret.</param>
internal sealed record SettingsError(string File, int Line, int Column, string Path, string Message)
{
    /// <returns><c>file:line:column: path: message</c>, the form that editors make clickable.</returns>
    public override string ToString()
    {
        var where = Line > 0 ? $"{File}:{Line}:{Column}" : File;
        return Path.Length > 0 ? $"{where}: {Path}: {Message}" : $"{where}: {Message}";
    }
}

/// <summary>Where a setting stands.</summary>
internal readonly record struct SettingsPlace(string File, int Line, int Column)
{
    public static SettingsPlace Of(YamlDotNet.RepresentationModel.YamlNode node, SettingsSource source) =>
        new(source.Name, (int)node.Start.Line, (int)node.Start.Column);
}

/// <summary>A configuration that cannot be used. Carries every error found, not only the first.</summary>
/// <param name="files">Every file that was read or looked for: a change of one of them may mend it.</param>
internal sealed class SettingsException(IReadOnlyList<SettingsError> errors, IReadOnlyCollection<string> files)
    : Exception(string.Join('\n', errors.Select(e => e.ToString())))
{
    /// <summary>At least one, in the order in which they were found.</summary>
    public IReadOnlyList<SettingsError> Errors { get; } = errors;

    public IReadOnlyCollection<string> Files { get; } = files;
}
