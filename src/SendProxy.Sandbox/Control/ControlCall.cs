using System.Globalization;
using System.Text.Json;

namespace SendProxy.Sandbox.Control;

/// <summary>A request to <c>/sandbox</c>.</summary>
/// <param name="Query">Its query.</param>
/// <param name="Id">The last part of the address, where it is variable; else empty.</param>
/// <param name="Body">The JSON that came with it; undefined without one.</param>
internal sealed record ControlCall(IQueryCollection Query, string Id, JsonElement Body)
{
    private const int PageUsual = 1000;
    private const int PageMax = 100_000;

    /// <summary>Number of the last entry seen: the page begins after it.</summary>
    public long Since => long.TryParse(Query["since"], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : 0;

    /// <summary>Length of the page. Default 1000, at most 100,000.</summary>
    public int Limit => int.TryParse(Query["limit"], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? Math.Min(number, PageMax)
        : PageUsual;

    public string? Text(string name) => Member(name) switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { ValueKind: JsonValueKind.Number } number => number.GetRawText(),
        _ => throw new ControlException($"'{name}' must be a string."),
    };

    public int? Integer(string name, int min, int max)
    {
        if (Member(name) is not { } value || value.ValueKind == JsonValueKind.Null) { return null; }
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            && number >= min && number <= max
            ? number
            : throw new ControlException($"'{name}' must be a whole number from {min} to {max}.");
    }

    public bool Flag(string name) => Member(name) switch
    {
        null or { ValueKind: JsonValueKind.False or JsonValueKind.Null } => false,
        { ValueKind: JsonValueKind.True } => true,
        _ => throw new ControlException($"'{name}' must be true or false."),
    };

    public JsonElement? Member(string name) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(name, out var value) ? value : null;
}

/// <summary>The request to <c>/sandbox</c> is wrong; the message says why and goes to its sender.</summary>
internal sealed class ControlException(string message) : Exception(message);
