using System.Text;

namespace SendProxy.Configuration;

/// <summary>
/// <c>${NAME}</c>, <c>${NAME:-default}</c> and <c>${file:path}</c> inside a value; <c>$${</c> stands for a plain <c>${</c>.
/// For values that are not secret: secrets have sources of their own.
/// </summary>
internal static class Substitution
{
    private const int MaxFileBytes = 64 * 1024;

    /// <param name="text">The value as written.</param>
    /// <param name="resolve">Makes a path absolute: relative ones are relative to the configuration file.</param>
    /// <param name="environment">Looks a variable up; null when it is not set.</param>
    /// <returns>The value, whether an environment variable took part in it, and an error or null.</returns>
    public static (string Value, bool FromEnvironment, string? Error) Apply(
        string text, Func<string, string> resolve, Func<string, string?> environment)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            return (text, false, "holds a NUL character, which no setting and no path can; remove it");
        }

        if (!text.Contains("${", StringComparison.Ordinal))
        {
            return (text, false, null);
        }

        var result = new StringBuilder();
        var fromEnvironment = false;
        for (var i = 0; i < text.Length;)
        {
            if (text.AsSpan(i).StartsWith("$${"))
            {
                result.Append("${");
                i += 3;
                continue;
            }

            if (!text.AsSpan(i).StartsWith("${"))
            {
                result.Append(text[i++]);
                continue;
            }

            var end = text.IndexOf('}', i);
            if (end < 0)
            {
                return (text, false, "a ${ has no closing }; write $${ for a plain ${");
            }

            var name = text[(i + 2)..end];
            var (value, error) = name.StartsWith("file:", StringComparison.Ordinal)
                ? FromFile(resolve(name[5..]))
                : FromEnvironmentVariable(name, environment);
            if (error is not null)
            {
                return (text, false, error);
            }

            fromEnvironment |= !name.StartsWith("file:", StringComparison.Ordinal);
            result.Append(value);
            i = end + 1;
        }

        return (result.ToString(), fromEnvironment, null);
    }

    private static (string Value, string? Error) FromEnvironmentVariable(string name, Func<string, string?> environment)
    {
        var at = name.IndexOf(":-", StringComparison.Ordinal);
        var variable = at < 0 ? name : name[..at];
        if (variable.Length == 0 || !variable.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            return ("", "${...} takes a variable's name, NAME:-default or file:path");
        }

        var value = environment(variable);
        return (value, at) switch
        {
            ({ Length: > 0 }, _) => (value, null),
            (_, >= 0) => (name[(at + 2)..], null),
            _ => ("", $"the environment variable {variable} is not set; set it, or write ${{{variable}:-default}}"),
        };
    }

    private static (string Value, string? Error) FromFile(string path)
    {
        try
        {
            var info = new FileInfo(path);
            if (info.Exists && info.Length > MaxFileBytes)
            {
                return ("", $"the file {path} is larger than {MaxFileBytes} bytes");
            }

            return (File.ReadAllText(path).TrimEnd('\r', '\n'), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ("", $"the file {path} cannot be read; it must exist and be readable for this user");
        }
    }
}
