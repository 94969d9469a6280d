using SendProxy.Configuration;

namespace SendProxy.Secrets;

/// <summary>Reads <c>{ file: path }</c>, <c>{ directory: path }</c> or <c>{ env: NAME }</c>.</summary>
internal static class SecretOptions
{
    /// <returns>The source; null and an error recorded where none or several are named.</returns>
    public static ISecretSource? ReadSource(SettingsReader reader, bool directory, bool required)
    {
        var file = reader.FilePath("file", null, "A file that holds the secret and nothing else; polled for changes.");
        var folder = directory ? reader.FilePath("directory", null, "A directory with the files current, next and previous; polled for changes.") : null;
        var variable = reader.Text("env", null, "An environment variable that holds the secret: for development.", 256);
        if (variable is not null && Spelling.LooksCredential(variable) && Environment.GetEnvironmentVariable(variable) is null)
        {
            reader.Fail("env", "names no environment variable that is set, and looks like a secret itself (hidden): name the variable that holds it");
            variable = "HIDDEN";
        }

        var count = (file is null ? 0 : 1) + (folder is null ? 0 : 1) + (variable is null ? 0 : 1);
        var forms = directory ? "file, directory or env" : "file or env";
        reader.Check(count == 1 || (count == 0 && !required), "file", count == 0
            ? $"no secret is named; give one of {forms}: {{ file: /run/secrets/... }}"
            : $"several sources are named; give one of {forms}");
        return file is not null ? new SecretFile(file)
            : folder is not null ? new SecretDirectory(folder)
            : variable is not null ? new SecretVariable(variable)
            : null;
    }
}
