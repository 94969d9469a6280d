using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace SendProxy.Configuration;

/// <summary>What errors say of keys and values: the nearest known word, and values with nothing secret in them.</summary>
internal static partial class Spelling
{
    private const int MaxShown = 60;

    /// <returns>The closest of <paramref name="known"/>, or null when none is close enough to be meant.</returns>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        var best = known.Select(k => (Word: k, Distance: Distance(word.ToUpperInvariant(), k.ToUpperInvariant())))
            .OrderBy(x => x.Distance).ThenBy(x => x.Word, StringComparer.Ordinal).FirstOrDefault();
        return best.Word is not null && best.Distance <= Math.Max(1, word.Length / 3) ? best.Word : null;
    }

    /// <returns>The value quoted and cut; <c>(hidden)</c> where it looks like a secret.</returns>
    public static string Quoted(string value) => LooksSecret(value) ? "(hidden)" : $"\"{Cut(value)}\"";

    /// <returns>The same without quotes, for keys.</returns>
    public static string Shown(string key) => LooksSecret(key) ? "(hidden)" : Cut(key);

    /// <summary>A known vendor prefix, or a long run without a word break: rather hide a value too much than show one key.</summary>
    public static bool LooksSecret(string value) => SecretPattern().IsMatch(value);

    /// <summary>The same for what should be a path or a name: what begins as vendors' keys do, or is one long run of letters and digits.</summary>
    public static bool LooksCredential(string value) =>
        CredentialPattern().IsMatch(value)
        || (!value.Contains('/', StringComparison.Ordinal) && (LooksSecret(value) || IsRandomRun(value)));

    /// <returns>What is told of what stands where a mapping is meant: most often a secret in place of its file.</returns>
    public static string NoMapping(YamlNode node, string otherwise = "must be a mapping: { key: value }") =>
        node is YamlScalarNode { Value: { } text } && LooksCredential(text)
            ? "looks like a secret itself (hidden): write it into a file of its own and name that file here, { file: /run/secrets/... }; a secret that stood in a "
                + "configuration should be replaced at the vendor"
            : otherwise;

    // Twenty characters without a dot: a file's name has its ending or its dashes, and few digits.
    private static bool IsRandomRun(string value) =>
        value.Length >= 20 && value.All(char.IsAsciiLetterOrDigit) && value.Count(char.IsAsciiDigit) >= 3 && value.Any(char.IsAsciiLetter);

    private static string Cut(string value)
    {
        var plain = new string([.. value.Select(c => char.IsControl(c) ? ' ' : c)]);
        return plain.Length <= MaxShown ? plain : plain[..MaxShown] + "...";
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[b.Length];
    }

    [GeneratedRegex(@"^\s*[""']?(Bearer |Basic )?((sk|rk|pk)_(live|test|org)_|re_[A-Za-z0-9]{8}|whsec_|whsk_|EAA[A-Za-z0-9]{10}|xkeysib-|api:|gh[opusr]_|github_pat_|xox[a-z][-.]|SG\.[A-Za-z0-9_-]{10}|(AC|SK)[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-)",
        RegexOptions.CultureInvariant)]
    private static partial Regex CredentialPattern();

    [GeneratedRegex(@"(sk|rk|pk|whsec|whsk|key|tok|ghp|xox[a-z])[_-][A-Za-z0-9+/_=-]{4,}|SG\.[A-Za-z0-9]|[A-Za-z0-9+_=]{28,}|Bearer |Basic |://[^/@ ]*:[^/@ ]*@|BEGIN [A-Z ]*PRIVATE",
        RegexOptions.CultureInvariant)]
    private static partial Regex SecretPattern();
}
