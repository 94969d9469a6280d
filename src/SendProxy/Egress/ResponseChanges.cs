using System.Buffers;

namespace SendProxy.Egress;

/// <summary>A part of an upstream's response that could not be passed on as it came.</summary>
internal enum ResponsePart
{
    /// <summary>A status that no response can have (below 200, RFC 9110, 15) was replaced.</summary>
    Status,

    /// <summary>Characters of the reason phrase were replaced.</summary>
    Reason,

    /// <summary>Characters of a header's value were replaced, or the header was dropped.</summary>
    Header,

    /// <summary>A body was dropped that the status does not allow.</summary>
    Body,

    /// <summary>Characters of a trailer were replaced. The caller is not told: its headers have left by then.</summary>
    Trailer,

    /// <summary>The server refused the response for a reason that is not known here; only its status and its body went out.</summary>
    Whole,
}

/// <summary>
/// What was changed of an upstream's response on its way to the caller: told in a header, in the log line and in a metric. The
/// vendor has acted by then, so nothing that it wrote may cost the caller the response.
/// </summary>
internal sealed class ResponseChanges
{
    private const int MostNamed = 8;

    // RFC 9110, 5.5: CR, LF, NUL and other control characters in a value are replaced by a space. A tab is allowed.
    private static readonly SearchValues<char> Controls = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Append(0x7f).Where(c => c != '\t').Select(c => (char)c)]);

    private readonly List<ResponsePart> _parts = [];
    private readonly List<string> _names = [];
    private int _unnamed;

    public IReadOnlyList<ResponsePart> Parts => _parts;

    public void Add(ResponsePart part) => Add(part, Word(part));

    /// <param name="header">The header's name, which is a token.</param>
    public void AddHeader(string header) => Add(ResponsePart.Header, header.ToLowerInvariant());

    /// <returns>The names of what was changed, as the caller and the log are told: <c>x-note, body</c>.</returns>
    public override string ToString() => string.Join(", ", _names) + (_unnamed > 0 ? ", ..." : "");

    public static bool IsClean(string value) => !value.AsSpan().ContainsAny(Controls);

    /// <returns>The text with a space in place of each control character.</returns>
    public static string Clean(string value) => string.Create(value.Length, value, static (span, value) =>
    {
        value.CopyTo(span);
        span.ReplaceAny(Controls, ' ');
    });

    public static string Word(ResponsePart part) => part switch
    {
        ResponsePart.Status => "status",
        ResponsePart.Reason => "reason",
        ResponsePart.Header => "header",
        ResponsePart.Body => "body",
        ResponsePart.Trailer => "trailer",
        _ => "whole",
    };

    private void Add(ResponsePart part, string name)
    {
        _parts.Add(part);
        if (_names.Contains(name))
        {
            return;
        }

        if (_names.Count < MostNamed)
        {
            _names.Add(name);
        }
        else
        {
            _unnamed++;
        }
    }
}
