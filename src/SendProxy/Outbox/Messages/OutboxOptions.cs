using SendProxy.Configuration;

namespace SendProxy.Outbox.Messages;

/// <summary>How accepted messages are kept and sent. Section <c>outbox</c>.</summary>
/// <param name="Namespace">Whose messages callers of this port see.</param>
/// <param name="Lane">Of messages whose request and route say none; null: the least urgent lane.</param>
internal sealed record OutboxOptions(
    bool Enabled, string Namespace, int Concurrency, string? Lane, TimeSpan Expires, long MaxBody, TimeSpan MaxWait, TimeSpan RampUp, OutboxRetryOptions Retry)
{
    /// <summary>Nothing is kept for longer, whatever is asked for.</summary>
    public static readonly TimeSpan LongestExpires = TimeSpan.FromDays(90);

    public static OutboxOptions Read(SettingsReader outbox) => new(
        Enabled: outbox.Flag("enabled", true, "Take Prefer: respond-async where there is a journal; false: the preference is ignored."),
        Namespace: outbox.Text("namespace", "", "Whose messages the callers of this port see and change; applications that share a journal each get one of their own. Cannot be changed while running.", 64)!,
        Concurrency: (int)outbox.Integer("concurrency", 16, 1, 1000, "Messages of the outbox on their way to one upstream at once."),
        Lane: outbox.Text("lane", null, "Who of the outbox goes when permits are short: a name of lanes, for messages whose request has no Priority and whose route has no lane. Default: the least urgent lane, whose share is what the outbox always gets.", 64),
        Expires: outbox.Duration("expires", "3d", "1s", "90d", "How long a message may wait where neither SendProxy-Expires nor its route says; then it is expired."),
        MaxBody: outbox.Size("maxBody", "1MiB", "1KiB", "64MiB", "Largest body that is stored; a larger request is sent at once instead, or on a route with mode: queue refused."),
        MaxWait: outbox.Duration("maxWait", "30s", "0s", "5m", "The longest that Prefer: wait=N or ?wait=N keeps a caller."),
        RampUp: outbox.Duration("rampUp", "30s", "0s", "1h", "After an outage of the vendor messages go out one a second at first and twice as many every tenth of this time. 0s: at full speed."),
        Retry: OutboxRetryOptions.Read(outbox.Section("retry", "When a message that was not taken is tried again; between the attempts of one try the upstream's retry counts.")));
}

/// <param name="BaseDelay">About the first wait.</param>
internal sealed record OutboxRetryOptions(TimeSpan BaseDelay, TimeSpan MaxDelay)
{
    public static OutboxRetryOptions Read(SettingsReader retry)
    {
        var options = new OutboxRetryOptions(
            retry.Duration("baseDelay", "1s", "10ms", "1h", "About the first wait; later ones grow, with jitter."),
            retry.Duration("maxDelay", "5m", "100ms", "24h", "The longest wait, also where the vendor asks for a longer one."));
        retry.Check(options.BaseDelay <= options.MaxDelay, "baseDelay", "is longer than maxDelay");
        return options;
    }
}

/// <summary>What a route says of the outbox. Section <c>routes[]</c>.</summary>
/// <param name="Always">Every request is stored and answered 202.</param>
/// <param name="WhenBusy">A request that met a full limit or an outage is stored instead of refused.</param>
/// <param name="MaxQueued">Messages of the route that are not finished; null: no bound but the journal's.</param>
internal sealed record RouteOutboxOptions(bool Always, bool WhenBusy, TimeSpan? Expires, int? MaxQueued)
{
    public static readonly RouteOutboxOptions None = new(false, false, null, null);

    public bool IsUsed => Always || WhenBusy;

    public static RouteOutboxOptions Read(SettingsReader route)
    {
        var options = new RouteOutboxOptions(
            Always: route.Choice("mode", "sync: a request is sent at once, unless it says Prefer: respond-async; queue: it is always stored and answered 202.", ("sync", false), ("queue", true)),
            WhenBusy: route.Choice("whenBusy", "What becomes of a request that met a full limit or an outage of the vendor: refuse: 429 or 5xx; queue: where it is safe it is stored and answered 202.",
                ("refuse", false), ("queue", true)),
            Expires: route.OptionalDuration("expires", "1s", "90d", "How long a stored message may wait where SendProxy-Expires does not say. Default: outbox.expires."),
            MaxQueued: (int?)route.OptionalInteger("maxQueued", 1, 100_000_000, "Stored messages of the route that are not finished; more get 503 journal_full. Default: no bound but the journal's."));
        route.Check(!options.Always || !options.WhenBusy, "whenBusy", "means nothing together with mode: queue");
        return options;
    }
}
