using System.Globalization;
using System.Text.RegularExpressions;

namespace SendProxy.Secrets;

/// <summary>What a secret must look like.</summary>
/// <param name="Live">Null where anything goes.</param>
/// <param name="Test">What a test key looks like, to say so; null where the vendor has none.</param>
/// <param name="CanBeUsed">What no pattern can say, such as whether a key can be made of the text; null where nothing is to be asked.</param>
internal sealed record SecretFormat(Regex? Live, Regex? Test, bool AllowTest, Func<string, bool>? CanBeUsed = null)
{
    public static readonly SecretFormat Any = new(null, null, true);

    private static readonly string[] Schemes = ["Bearer ", "Basic ", "Token ", "Authorization:"];

    /// <summary>The pattern is a preset's: vendors have more forms of keys than presets know, so it only warns.</summary>
    public bool IsAdvice { get; init; }

    /// <summary>The secret is written into a header, so that a value with quotes or a scheme around it is a mistake.</summary>
    public bool IsCredential { get; init; }

    public SecretState Judge(string text) =>
        CanBeUsed?.Invoke(text) == false ? SecretState.Malformed
        : Live?.IsMatch(text) == true ? SecretState.Ok
        : Test?.IsMatch(text) == true ? AllowTest ? SecretState.Ok : SecretState.TestKey
        : IsCredential && Mistake(text) is { } mistake ? mistake
        : Live is null || IsAdvice ? SecretState.Ok
        : SecretState.Malformed;

    /// <returns>How a text differs from the pattern, without a character of it; null where it does not.</returns>
    public string? Difference(string text)
    {
        if (Live is null || Live.IsMatch(text) || Test?.IsMatch(text) == true)
        {
            return null;
        }

        // ^(?:...)$ is put around every pattern of the settings.
        var pattern = Live.ToString() is ['^', '(', '?', ':', .. var inner, ')', '$'] ? inner : Live.ToString();
        var prefix = new string([.. pattern.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')]);
        var begins = prefix.Length > 2 && !text.StartsWith(prefix, StringComparison.Ordinal) ? $", and does not begin with {prefix}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"it does not match the pattern {pattern}: it has {text.Length} characters{begins}");
    }

    private static SecretState? Mistake(string text) =>
        text[0] is '"' or '\'' or '`' || text[^1] is '"' or '\'' or '`' ? SecretState.Quoted
        : Array.Exists(Schemes, s => text.StartsWith(s, StringComparison.OrdinalIgnoreCase)) ? SecretState.WithScheme
        : text.Contains(' ', StringComparison.Ordinal) ? SecretState.WithSpace
        : null;
}
