using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Outbox.Messages;
using SendProxy.Queueing;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;
using SendProxy.Upstreams;

namespace SendProxy.Outbox.Worker;

/// <summary>
/// Sends one leased message and moves it on: 1 what went before, 2 the message, 3 the sender, which tells the journal before its first
/// byte, 4 what follows.
/// </summary>
internal sealed class MessageSender(JournalHost journal, Live<OutboxRoutes> live, ISender sender, MessageMover mover, TimeProvider time)
{
    // What only another configuration or another version can mend.
    private static readonly TimeSpan LaterWait = TimeSpan.FromMinutes(1);

    /// <param name="cut">Ends waiting and further attempts; the message goes back.</param>
    /// <returns>What it tells of the vendor.</returns>
    public async Task<(UpstreamHealth Health, TimeSpan? RetryAfter)> SendAsync(ClaimedItem item, CancellationToken cut)
    {
        // 1 what went before
        if (item.Item.SchemaVersion != OutboxEnvelope.Version || OutboxEnvelope.Read(item.Metadata) is not { } envelope)
        {
            // Of a newer version perhaps: it waits for the process that can read it.
            await mover.RetryAsync(item, null, Later("envelope_unreadable", item.Item), cut);
            return (UpstreamHealth.Works, null);
        }

        if (live.Current.ByName.GetValueOrDefault(item.Item.Route) is not { } route || route.Upstream != envelope.Upstream)
        {
            await mover.RetryAsync(item, envelope, Later("route_missing", item.Item), cut);
            return (UpstreamHealth.Works, null);
        }

        var deduplicates = route.Plan.Pipeline.Upstream.Options.Idempotency.At(envelope.Target).Deduplicates && item.Item.IdempotencyKey is not null;
        var repeatability = AttemptTable.Of(HttpMethod.Parse(envelope.Method), deduplicates);
        if (Hopeless(item.Item, repeatability) is { } reason)
        {
            await mover.FinishAsync(item, envelope, Finish.Unknown(reason) with { AttemptsMade = 0 }, cut);
            return (UpstreamHealth.Works, null);
        }

        // 2 the message
        var permits = route.Permits?.Invoke(envelope.Header("Content-Type"), envelope.Header("Content-Encoding"), item.Body) ?? MessagePermits.One;
        if (permits.Refusal is { } unreadable)
        {
            await mover.FinishAsync(item, envelope, Finish.Dead(ProxyErrorTable.Describe(unreadable.Error).Code) with { AttemptsMade = 0 }, cut);
            return (UpstreamHealth.Works, null);
        }

        using var body = ReplayBody.Unpooled(item.Body);
        var begun = false;
        var message = Message(item, envelope, route, permits, body, async (carrier, fingerprint) =>
        {
            var refusal = await MarkAsync(item, carrier, fingerprint, cut);
            begun = refusal is null;
            return refusal;
        });

        // 3 the sender
        try
        {
            var outcome = await sender.SendAsync(message, cut);
            try
            {
                // 4 what follows
                return await mover.MoveAsync(item, envelope, outcome, SendDecision.Of(outcome, repeatability, item.Item.Attempting), cut);
            }
            finally
            {
                outcome.Response?.Dispose();
            }
        }
        catch (OperationCanceledException) when (cut.IsCancellationRequested)
        {
            // Begun: the mark says so to the next process, which judges. Not begun: it is as it was.
            await (begun
                ? mover.RetryAsync(item, envelope, new Retry(time.GetUtcNow(), "stopped") { KeepAttempting = true }, cut)
                : mover.GiveBackAsync(item, cut));
            return (UpstreamHealth.Untried, null);
        }
    }

    private OutboundMessage Message(
        ClaimedItem item, OutboxEnvelope envelope, OutboxRoute route, MessagePermits permits, ReplayBody body, Func<IdempotencyCarrier, string, ValueTask<Refusal?>> mark)
    {
        var upstream = route.Plan.Pipeline.Upstream.Options;
        var carrier = upstream.Idempotency.At(envelope.Target);
        return new OutboundMessage
        {
            RequestId = item.Item.Id.ToString(),
            Plan = route.Plan,
            Method = HttpMethod.Parse(envelope.Method),
            PathAndQuery = envelope.Target,
            Headers = envelope.Headers,
            Body = body,
            IdempotencyKey = new IdempotencyKey(item.Item.IdempotencyKey ?? "", envelope.KeyOrigin),
            Lane = route.Lanes.Find(envelope.Lane) ?? route.Lane,
            Cost = permits.Cost,
            Pers = permits.Pers,
            Deadline = Deadline.In(upstream.Timeouts.Total, time),
            EarlierAttempt = item.Item.Attempting ? KeyLifetime.FirstAttempt(carrier, item.Item.Deadline, item.Item.Created) : null,
            CredentialFingerprint = item.Item.KeyFingerprint,
            BeforeAttempt = fingerprint => mark(carrier, fingerprint),
        };
    }

    private Retry Later(string reason, StoredItem item) =>
        new(time.GetUtcNow() + LaterWait, reason) { AttemptsMade = 0, KeepAttempting = item.Attempting };

    /// <returns>Why it must not be sent any more: it may have been sent, and nothing recognises a repetition.</returns>
    private string? Hopeless(StoredItem item, Repeatability repeatability) =>
        !item.Attempting || repeatability == Repeatability.Idempotent ? null
        : repeatability == Repeatability.Unsafe ? item.Reason is null or "stopped" ? "process_ended" : item.Reason
        : item.Deadline is { } usable && time.GetUtcNow() >= usable ? "key_lifetime_over"
        : null;

    private async ValueTask<Refusal?> MarkAsync(ClaimedItem item, IdempotencyCarrier carrier, string fingerprint, CancellationToken cut)
    {
        if (item.Item.Attempting)
        {
            // The mark is there, with the time of the attempt that counts.
            return null;
        }

        var mark = new AttemptMark(fingerprint, KeyLifetime.UsableUntil(carrier, time.GetUtcNow()));
        var marked = await journal.Queue.MarkAttemptingAsync(item.Lease, mark, cut);
        return marked.IsDone ? null : Refusal.NotSent(ProxyError.JournalUnavailable, "The journal did not take the mark that an attempt begins.", TimeSpan.FromSeconds(1));
    }
}
