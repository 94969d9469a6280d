using System.Globalization;
using SendProxy.Sandbox.Answers;

namespace SendProxy.Sandbox.Faults;

/// <summary>A fault with its particulars.</summary>
internal sealed record Fault(FaultKind Kind)
{
    private const int MillisecondsMax = 600_000;
    private const int TimesMax = 1_000_000;

    /// <summary>Attempts of one message that meet it; null for the usual number, 0 for all.</summary>
    public int? Times { get; init; }

    /// <summary>Length in milliseconds; null for the kind's own.</summary>
    public int? Milliseconds { get; init; }

    /// <summary>Seconds, or one of the words absent, date, past, absurd, malformed.</summary>
    public string? RetryAfter { get; init; }

    /// <summary>A 5xx status instead of the kind's own.</summary>
    public int? Status { get; init; }

    public string Name => Kind.Name;

    /// <summary>No answer is given.</summary>
    public bool CutsConnection => Action is FaultAction.AcceptDrop or FaultAction.DropBefore or FaultAction.DropUnread;

    public FaultAction Action => Kind.Action;

    public TimeSpan Length(int defaultMilliseconds) =>
        TimeSpan.FromMilliseconds(Milliseconds ?? defaultMilliseconds);

    public ApiError? Error => Status switch
    {
        500 => ApiError.Internal,
        502 => ApiError.BadGateway,
        503 => ApiError.Unavailable,
        504 => ApiError.GatewayTimeout,
        _ => Kind.Error,
    };

    /// <summary>Reads <c>name;ms=500;times=2;retry_after=date;status=502</c>; a plus parts too.</summary>
    /// <returns>The fault, or null with the reason.</returns>
    public static Fault? Parse(string text, out string? problem)
    {
        var parts = text.Split([';', '+'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        problem = null;
        if (parts.Length == 0 || FaultCatalog.Named(parts[0]) is not { } kind)
        {
            problem = "There is no fault of this name; GET /sandbox/faults/kinds lists them.";
            return null;
        }

        var fault = new Fault(kind);
        foreach (var part in parts.AsSpan(1))
        {
            var mark = part.IndexOf('=', StringComparison.Ordinal);
            var next = mark < 0 ? null : fault.With(part[..mark], part[(mark + 1)..]);
            if (next is null)
            {
                problem = $"'{part}' is none of ms=, times=, retry_after=, status= with a value in bounds.";
                return null;
            }

            fault = next;
        }

        return fault;
    }

    /// <returns>The fault with one particular more, or null when it is not valid.</returns>
    public Fault? With(string name, string value) => name switch
    {
        "ms" when Number(value, MillisecondsMax) is { } ms => this with { Milliseconds = ms },
        "times" when value == "all" => this with { Times = 0 },
        "times" when Number(value, TimesMax) is > 0 and { } times => this with { Times = times },
        "retry_after" when value is "absent" or "date" or "past" or "absurd" or "malformed"
            || Number(value, int.MaxValue) is not null => this with { RetryAfter = value },
        "status" when value is "500" or "502" or "503" or "504" =>
            this with { Status = int.Parse(value, CultureInfo.InvariantCulture) },
        _ => null,
    };

    private static int? Number(string text, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= max
            ? number
            : null;
}
