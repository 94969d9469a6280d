using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Outbox.Messages;
using SendProxy.Queueing;
using SendProxy.Sending;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Outbox.Intake;

/// <summary>A message to be stored.</summary>
/// <param name="Running">Not null: an attempt of it runs already, or may have been sent since; when it may first have been.</param>
/// <param name="CredentialFingerprint">Of that attempt; null where it is not known.</param>
internal sealed record OutboxSubmission(OutboundMessage Message, MessageTerms Terms, DateTimeOffset? Running = null, string? CredentialFingerprint = null)
{
    /// <summary>When it is tried first; null: at once, or as its terms say.</summary>
    public DateTimeOffset? Due { get; init; }
}

/// <summary>What became of it.</summary>
/// <param name="Id">Of the stored message: this one, or an earlier one under the same idempotency key.</param>
/// <param name="IsDuplicate">It was stored before.</param>
/// <param name="Lease">Of one whose attempt runs.</param>
/// <param name="Refusal">Why it is not stored; null where it is.</param>
internal readonly record struct Acceptance(Guid Id, bool IsDuplicate, Lease? Lease, Refusal? Refusal);

/// <summary>Stores messages. What it has answered for is as durable as <see cref="Durability"/> says.</summary>
internal sealed class OutboxIntake(JournalHost journal, Live<OutboxRoutes> live, OutboxDepth depth, OutboxMetrics metrics, TimeProvider time)
{
    // Beyond it the oldest key of a route's upstream is forgotten inside its lifetime, and counted by the queue.
    private const int MaxKeys = 1_000_000;

    // For what comes between the end of an attempt and its record.
    private static readonly TimeSpan LeaseSlack = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(5);

    /// <summary>How well a message is stored when it is answered for: what <c>SendProxy-Durability</c> says.</summary>
    public string Durability => journal.Queue.Durability.WireName();

    /// <summary>Whether messages can be taken at all.</summary>
    public bool IsOpen => journal.IsOpen && live.Current.Options.Enabled;

    /// <summary>All in as few commits as there are; one answer for each, in order.</summary>
    public async ValueTask<IReadOnlyList<Acceptance>> AcceptAsync(IReadOnlyList<OutboxSubmission> submissions, CancellationToken cancellation)
    {
        var answers = new Acceptance[submissions.Count];
        var stored = new List<(int Place, NewItem Item)>(submissions.Count);
        for (var i = 0; i < submissions.Count; i++)
        {
            if (Full(submissions[i].Message.Plan.Route) is { } full)
            {
                answers[i] = new Acceptance(default, false, null, full);
            }
            else
            {
                stored.Add((i, Item(submissions[i])));
            }
        }

        var results = stored.Count == 0 ? [] : await journal.Queue.EnqueueAsync([.. stored.Select(s => s.Item)], cancellation);
        for (var i = 0; i < results.Count; i++)
        {
            answers[stored[i].Place] = await AnswerAsync(submissions[stored[i].Place], results[i], cancellation);
        }

        return answers;
    }

    private Refusal? Full(string route) =>
        live.Current.ByName.GetValueOrDefault(route)?.Options.MaxQueued is { } most && depth.Of(route) >= most
            ? Refusal.NotSent(ProxyError.JournalFull, $"maxQueued ({most}) of the route {route} is reached.", depth.UntilRoom(route))
            : null;

    private async ValueTask<Acceptance> AnswerAsync(OutboxSubmission submission, EnqueueResult result, CancellationToken cancellation)
    {
        var route = submission.Message.Plan.Route;
        switch (result.Verdict)
        {
            case EnqueueVerdict.Stored:
                metrics.Accepted(route);
                depth.Accepted(route);
                return new Acceptance(result.Id, false, result.Lease, null);
            case EnqueueVerdict.Duplicate:
                return await CompareAsync(submission, result.Id, cancellation);
            case EnqueueVerdict.Full:
                return new Acceptance(default, false, null, Refusal.NotSent(
                    ProxyError.JournalFull, "journal.maxItems or journal.maxBytes is reached by messages and events that are not finished.", depth.UntilRoom(null)));
            default:
                return new Acceptance(default, false, null, Refusal.NotSent(ProxyError.JournalUnavailable, result.Error switch
                {
                    QueueError.DiskFull => "The journal's disk is full; it heals when there is space.",
                    QueueError.BoundReached => "journal.maxBytes is reached.",
                    QueueError.StoreClosed => "The process ends.",
                    _ => "The journal fails; look at its disk.",
                }, TryAgain));
        }
    }

    // An earlier message under the key: the same one is answered as it was, another one is a mistake of the application's.
    private async ValueTask<Acceptance> CompareAsync(OutboxSubmission submission, Guid id, CancellationToken cancellation)
    {
        var earlier = (await journal.Queue.GetAsync(OutboxEnvelope.Queue, id, cancellation)).Value;
        var envelope = earlier?.Metadata is { } metadata ? OutboxEnvelope.Read(metadata) : null;
        return envelope is null || envelope.Fingerprint.AsSpan().SequenceEqual(RequestFingerprint.Of(submission.Message))
            ? new Acceptance(id, true, null, null)
            : new Acceptance(default, true, null, Refusal.NotSent(
                ProxyError.IdempotencyKeyReused, "The key was first used with another method, target, content type or body."));
    }

    private NewItem Item(OutboxSubmission submission)
    {
        var (message, terms, now) = (submission.Message, submission.Terms, time.GetUtcNow());
        var upstream = message.Plan.Pipeline.Upstream.Options;
        var options = live.Current.Options;
        var route = live.Current.ByName.GetValueOrDefault(message.Plan.Route);
        var envelope = new OutboxEnvelope
        {
            Method = message.Method.Method,
            Target = message.PathAndQuery,
            Upstream = upstream.Name,
            KeyOrigin = message.IdempotencyKey.Origin,
            Fingerprint = RequestFingerprint.Of(message),
            Lane = message.Lane.Name,
            Reference = terms.Reference,
            NotBefore = terms.NotBefore,
            Headers = message.Headers,
        };
        return new NewItem
        {
            Id = Guid.Parse(message.RequestId),
            Queue = OutboxEnvelope.Queue,
            SchemaVersion = OutboxEnvelope.Version,
            Route = message.Plan.Route,
            Group = options.Namespace,
            Lane = QueueLane(message, route),
            Due = submission.Due ?? terms.NotBefore,
            Expires = terms.Expires ?? (terms.NotBefore ?? now) + (route?.Options.Expires ?? options.Expires),
            Dedupe = IdempotencyGate.Guards(message.IdempotencyKey) ? Key(message, options) : null,
            IdempotencyKey = message.IdempotencyKey.Value.Length > 0 ? message.IdempotencyKey.Value : null,
            KeyFingerprint = submission.CredentialFingerprint,
            Deadline = submission.Running is { } running ? KeyLifetime.UsableUntil(message.Carrier, running) : null,
            LeaseFor = submission.Running is null ? null : upstream.Timeouts.Total + LeaseSlack,
            Metadata = envelope.ToBytes(),
            Body = message.Body.Memory,
        };
    }

    // The queue knows three; the lanes of the configuration may be more or fewer.
    private static int QueueLane(OutboundMessage message, OutboxRoute? route)
    {
        var (index, last) = (message.Lane.Index, (route?.Lanes.All.Count ?? 3) - 1);
        return index == 0 ? 0 : index >= last ? 2 : 1;
    }

    private static DedupeKey Key(OutboundMessage message, OutboxOptions options) =>
        new($"outbox\n{options.Namespace}\n{message.Plan.Pipeline.Upstream.Name}\n{message.Plan.KeyNamespace}", message.IdempotencyKey.Value, message.Carrier.Lifetime, MaxKeys);
}
