using SendProxy.Configuration;

namespace SendProxy.Telemetry;

/// <summary>What is logged. Section <c>telemetry.log</c>.</summary>
/// <param name="Level">Lines below it are not written. Canonical lines are written at info.</param>
/// <param name="SuccessSample">The share of successful requests that get a canonical line; every other end always does.</param>
internal sealed record TelemetryOptions(LogLevel Level, double SuccessSample)
{
    public static TelemetryOptions Read(SettingsReader root)
    {
        var log = root.Section("telemetry", "What is told outside of metrics.").Section("log", "One JSON line an event, on standard output.");
        return new TelemetryOptions(
            Level: log.Choice("level", "Lines below this level are not written.",
                ("info", LogLevel.Information), ("debug", LogLevel.Debug), ("warn", LogLevel.Warning), ("error", LogLevel.Error)),
            SuccessSample: log.Share("successSample", "100%", "Share of successful requests that get a canonical line; failures always do."));
    }
}
