using SendProxy.Configuration;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>
/// Edits of one character in a good configuration, all different, in an order that visits the whole file at once: edit
/// <c>n</c> is the same in each run.
/// </summary>
internal static class ConfigEdits
{
    /// <summary>A prime beyond the length of the file: a stride that comes by each place.</summary>
    private const int Stride = 7919;

    private const string Inserted = "{}[]:,#&*!|>'\"%@`?-. \t\n\r\0\u0001~=$\\/019aeZé;()<^_+\u0085\uFEFF\u2028\uD800";

    /// <summary>How many different edits there are.</summary>
    public static int Count(string good) => good.Length * (2 + (2 * Inserted.Length));

    /// <summary>A deletion, a character twice, or one inserted or put in the place of another.</summary>
    public static string Edit(string good, int number)
    {
        var at = (int)((long)number * Stride % good.Length);
        var operation = number / good.Length;
        return operation switch
        {
            0 => good.Remove(at, 1),
            1 => good.Insert(at, good[at].ToString()),
            _ when (operation - 2) % 2 == 0 => good.Insert(at, Inserted[(operation - 2) / 2].ToString()),
            _ => good.Remove(at, 1).Insert(at, Inserted[(operation - 2) / 2].ToString()),
        };
    }

    /// <returns>Null where the text is good, or refused as every text must be: with file, line, column and a sentence, and nothing of the key.</returns>
    public static string? Judge(string path, string secret, Func<string, ProxySettings> load)
    {
        try
        {
            load(path);
            return null;
        }
        catch (SettingsException e)
        {
            return e.Errors.Count == 0 ? "refused without an error"
                : e.Errors.FirstOrDefault(x => x.File.Length == 0 || x.Line < 1 || x.Column < 1) is { } placeless ? $"no position: {placeless}"
                : e.Errors.FirstOrDefault(x => x.Message.Length < 10) is { } speechless ? $"no remedy: {speechless}"
                : e.Errors.FirstOrDefault(x => x.Message.Contains("defect", StringComparison.Ordinal)) is { } defect ? $"a defect: {defect}"
                : e.Errors.FirstOrDefault(x => x.ToString().Contains(secret, StringComparison.Ordinal)) is { } shown ? $"shows the secret: {shown}"
                : null;
        }
#pragma warning disable CA1031 // What else it throws is what is looked for.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return $"threw {e.GetType().Name}: {e.Message}";
        }
    }
}
