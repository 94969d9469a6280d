using SendProxy.Configuration;

namespace SendProxy.Upstreams.Connections;

/// <summary>Section <c>timeouts</c>.</summary>
/// <param name="Connect">TCP and TLS.</param>
/// <param name="Attempt">One attempt, to the answer's headers.</param>
/// <param name="Total">All attempts and waits, to the answer's headers; of a buffered answer, to its end.</param>
/// <param name="BodyIdle">Longest silence inside a streamed answer; the whole of a buffered one.</param>
internal sealed record TimeoutOptions(TimeSpan Connect, TimeSpan Attempt, TimeSpan Total, TimeSpan BodyIdle)
{
    public static TimeoutOptions Read(SettingsReader timeouts)
    {
        var options = new TimeoutOptions(
            Connect: timeouts.Duration("connect", "2s", "10ms", "1m", "Longest wait for a connection, TLS included."),
            Attempt: timeouts.Duration("attempt", "10s", "10ms", "10m", "Longest time of one attempt, to the answer's headers."),
            Total: timeouts.Duration("total", "30s", "10ms", "1h", "Longest time of a request with all waits and attempts, up to the end of a buffered answer or the head of a streamed one."),
            BodyIdle: timeouts.Duration("bodyIdle", "30s", "100ms", "1h", "Longest silence inside a streamed answer; one that is buffered (up to 64KiB) must come whole within it."));
        timeouts.Check(options.Attempt <= options.Total, "attempt", "must not be longer than total");
        return options;
    }
}
