using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Secrets;

/// <summary>
/// A value that must never be logged, serialised or compared in variable time. A class, not a record or a string, so that
/// nothing prints it by itself. A tidy test holds who may call <see cref="Reveal"/>.
/// </summary>
internal sealed class Secret
{
    private readonly string _value;

    // Shorter values are words, which stand in texts by chance.
    private const int MinSearched = 8;

    private readonly Lazy<(byte[] Plain, byte[] Base64, string Base64Text)> _searched;

    // The one header that carries it, as it was written last; replaced whole.
    private Tuple<string, string>? _written;

    /// <param name="loaded">When it was first seen.</param>
    public Secret(string value, DateTimeOffset loaded = default)
    {
        _value = value;
        _searched = new(() => (Encoding.UTF8.GetBytes(_value), Encoding.ASCII.GetBytes(Base64()), Base64()));
        Loaded = loaded;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(value), hash);
        Fingerprint = Convert.ToHexStringLower(hash[..4]);
    }

    /// <summary>First 8 hex digits of SHA-256: names a key in logs and metrics without telling it.</summary>
    public string Fingerprint { get; }

    /// <summary>When this process first saw it.</summary>
    public DateTimeOffset Loaded { get; }

    /// <summary>The value itself, for the one place that puts it to use.</summary>
    public string Reveal() => _value;

    /// <summary>The value as a header carries it, made once: the copy lies in memory as long as the value itself, and no longer.</summary>
    /// <param name="write">Makes it of the format and the value.</param>
    public string Write(string format, Func<string, string, string> write)
    {
        var written = _written;
        if (written?.Item1 != format)
        {
            _written = written = Tuple.Create(format, write(format, _value));
        }

        return written.Item2;
    }

    /// <summary>Whether it stands in the text, as it is or in base64 as the Basic scheme has it. Too short ones are not looked for.</summary>
    public bool IsIn(ReadOnlySpan<byte> text) =>
        _value.Length >= MinSearched && (text.IndexOf(_searched.Value.Plain) >= 0 || text.IndexOf(_searched.Value.Base64) >= 0);

    /// <inheritdoc cref="IsIn(ReadOnlySpan{byte})"/>
    public bool IsIn(string text) =>
        _value.Length >= MinSearched && (text.Contains(_value, StringComparison.Ordinal) || text.Contains(_searched.Value.Base64Text, StringComparison.Ordinal));

    /// <summary>Whether it stands in a header's name, of which HTTP/2 knows only lower case.</summary>
    public bool IsInName(string name) => name.Contains(_value, StringComparison.OrdinalIgnoreCase);

    /// <summary>Writes * over each place in the text where it stands, as it is or in base64; lengths stay true.</summary>
    /// <returns>How many there were.</returns>
    public int Erase(Span<byte> text) => Erase(text, _searched.Value.Plain) + Erase(text, _searched.Value.Base64);

    /// <inheritdoc cref="Erase(Span{byte})"/>
    /// <returns>The text without it, or the same object where it was not in it.</returns>
    public string Erase(string text)
    {
        var plain = text.Contains(_value, StringComparison.Ordinal) ? text.Replace(_value, Stars(_value), StringComparison.Ordinal) : text;
        var encoded = _searched.Value.Base64Text;
        return plain.Contains(encoded, StringComparison.Ordinal) ? plain.Replace(encoded, Stars(encoded), StringComparison.Ordinal) : plain;
    }

    /// <summary>Writes * over each place in the text where the form of it stands.</summary>
    /// <param name="form">One of its forms, from who reads on and on.</param>
    public static int Erase(Span<byte> text, ReadOnlySpan<byte> form)
    {
        var count = 0;
        for (var at = text.IndexOf(form); at >= 0; at = text.IndexOf(form))
        {
            text = text[at..];
            text[..form.Length].Fill((byte)'*');
            text = text[form.Length..];
            count++;
        }

        return count;
    }

    /// <summary>Compares in a time that does not depend on where they differ.</summary>
    public bool FixedTimeEquals(string other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(_value), Encoding.UTF8.GetBytes(other));

    public override string ToString() => "***";

    // What fills it up at its end is not always written.
    private string Base64() => Convert.ToBase64String(Encoding.UTF8.GetBytes(_value)).TrimEnd('=');

    private static string Stars(string form) => new('*', form.Length);
}
