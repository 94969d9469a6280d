using SendProxy.Configuration;

namespace SendProxy.Upstreams.Responses;

/// <summary>Names of the vendor's own rate headers; null where it has none.</summary>
/// <param name="ResetMilliseconds">A small number in <paramref name="Reset"/> counts milliseconds left, not seconds.</param>
internal sealed record RateHeaderNames(string? Limit, string? Remaining, string? Reset, bool ResetMilliseconds = false)
{
    /// <summary>The longest wait that an answer can ask for where nothing else is configured.</summary>
    public static readonly TimeSpan UsualMaxRetryAfter = TimeSpan.FromMinutes(5);

    /// <summary>The longest wait that an answer can ask for; whoever asks for more is asked again after it.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = UsualMaxRetryAfter;

    public static RateHeaderNames Read(SettingsReader headers) => new(
        Limit: headers.Text("limit", null, "The plan's limit (preset).", 100),
        Remaining: headers.Text("remaining", null, "What is left of it (preset).", 100),
        Reset: headers.Text("reset", null, "When it is full again: seconds left, unix seconds or unix milliseconds (preset).", 100),
        ResetMilliseconds: headers.Choice("resetUnit", "What a small number in reset counts; points in time are told apart by their size (preset).", ("seconds", false), ("milliseconds", true)))
    {
        MaxRetryAfter = headers.Duration("maxRetryAfter", "5m", "1s", "24h",
            "The longest wait that an answer can ask for, by Retry-After or by its reset. One that asks for more is tried again after this time, with a single request, and the caller is told this time (preset)."),
    };
}
