using SendProxy.Configuration;

namespace SendProxy.Overload;

/// <summary>How fast a peer must send or take bytes while this process waits for it.</summary>
/// <param name="BytesPerSecond">Of a request's body; 0: any rate.</param>
/// <param name="Window">What the rate is measured over, and the longest silence.</param>
/// <param name="ResponseStall">How long a peer may take nothing of its answer.</param>
internal sealed record DataRateOptions(long BytesPerSecond, TimeSpan Window, TimeSpan ResponseStall)
{
    public static DataRateOptions Read(SettingsReader listen) => new(
        BytesPerSecond: listen.Size("minDataRate", "1KiB", "0B", "1GiB",
            "Bytes a second that a body must bring while it is waited for, on every listener; slower ends in 408. 0B: any rate, but no silence longer than dataRateWindow."),
        Window: listen.Duration("dataRateWindow", "5s", "1s", "5m",
            "The time over which minDataRate is measured, again and again: what came before it does not count. Also the longest silence in a body."),
        ResponseStall: listen.Duration("responseStall", "30s", "1s", "1h",
            "How long a caller may take nothing of its answer; then its connection is closed."));
}
