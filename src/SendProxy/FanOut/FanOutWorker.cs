using System.Security.Cryptography;
using System.Text;
using SendProxy.Configuration;
using SendProxy.Hosting;
using SendProxy.Queueing;
using SendProxy.Workers;

namespace SendProxy.FanOut;

/// <summary>
/// Step 1 of the way out: an event becomes one delivery for each subscriber that wants it, in the commit that ends the
/// event. A crash repeats it without effect: the id of a delivery is made of the event and the subscriber.
/// </summary>
internal sealed partial class FanOutWorker(
    JournalHost journal, Live<FanOutState> live, FanOutMetrics metrics, IDraining draining, WorkerContext context)
    : PeriodicWorker(Name, context)
{
    private const string Name = "fanout";
    private const int MaxAtOnce = 64;

    // While nobody subscribes, events wait: they are not lost to an operator who sets up one thing after the other.
    private static readonly TimeSpan NoSubscribers = TimeSpan.FromSeconds(1);

    // While the journal has no room for deliveries, one event is tried at these intervals: room comes when deliveries end.
    private static readonly TimeSpan FirstLookForRoom = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastLookForRoom = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = context.Loggers.CreateLogger<FanOutWorker>();
    private TimeSpan? _lookForRoom;

    // Until all events are fanned out: room comes and goes meanwhile, and one line tells of it.
    private bool _hasToldNoRoom;

    /// <returns>The same for the same event and subscriber, version 8 (RFC 9562).</returns>
    public static Guid DeliveryId(Guid eventId, string subscriber)
    {
        Span<byte> id = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData([.. eventId.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(subscriber)], id);
        id[6] = (byte)((id[6] & 0x0f) | 0x80);
        id[8] = (byte)((id[8] & 0x3f) | 0x80);
        return new Guid(id[..16], bigEndian: true);
    }

    /// <summary>The journal had no room for the deliveries of an event in the last round.</summary>
    public bool IsWaitingForRoom => _lookForRoom is not null;

    /// <summary>One round: claims what waits and fans it out.</summary>
    /// <returns>What to wait with.</returns>
    public async Task<ClaimResult> RoundAsync(CancellationToken cancellation)
    {
        var claimed = await journal.Queue.ClaimAsync(new ClaimRequest(EventEnvelope.Events, IsWaitingForRoom ? 1 : MaxAtOnce), cancellation);
        var state = live.Current;

        // All at once, so that they share a commit.
        var hadRoom = await Task.WhenAll(claimed.Items.Select(item => FanOutAsync(item, state, cancellation)));
        NoteRoom(claimed.Items.Count, Array.TrueForAll(hadRoom, room => room));

        return claimed;
    }

    private void NoteRoom(int events, bool hadRoom)
    {
        if (events == 0 && _hasToldNoRoom)
        {
            _hasToldNoRoom = false;
            Log.HasRoom(_logger);
        }
        else if (!hadRoom && !_hasToldNoRoom)
        {
            _hasToldNoRoom = true;
            Worker.Failed(Name);
            Log.NoRoom(_logger, journal.NotReady() ?? "journal.maxItems or journal.maxBytes is reached");
        }

        _lookForRoom = hadRoom ? null
            : _lookForRoom is { } last ? (last * 2 < LastLookForRoom ? last * 2 : LastLookForRoom)
            : FirstLookForRoom;
    }

    protected override CancellationToken EndsEarly => draining.Started;

    protected override async Task<TimeSpan?> RunRoundAsync(CancellationToken stop)
    {
        if (!journal.IsOpen)
        {
            return null;
        }

        if (live.Current.Subscribers.Count == 0)
        {
            return NoSubscribers;
        }

        var claimed = await RoundAsync(stop);
        if (_lookForRoom is { } pause)
        {
            return pause;
        }

        if (claimed.Items.Count == 0)
        {
            await QueueWait.ForWorkAsync(journal.Queue, EventEnvelope.Events, claimed, Time, stop);
        }

        return TimeSpan.Zero;
    }

    /// <returns>False when the journal has no room for its deliveries: the event is as it was.</returns>
    private async Task<bool> FanOutAsync(ClaimedItem item, FanOutState state, CancellationToken cancellation)
    {
        if (item.Item.SchemaVersion != EventEnvelope.Version || EventEnvelope.Read(item.Metadata) is not { } envelope)
        {
            await journal.Queue.FinishAsync(item.Lease, Finish.Dead("envelope_unreadable"), CancellationToken.None);
            return true;
        }

        var deliveries = state.Subscribers.Values.Where(s => s.Wants(envelope)).Select(s => Delivery(item, s.Name)).ToArray();
        var finish = Finish.Done() with { Next = deliveries };
        var finished = await QueueRetry.UntilAnsweredAsync(() => journal.Queue.FinishAsync(item.Lease, finish, CancellationToken.None), Time, cancellation);
        if (finished.IsDone)
        {
            metrics.FannedOut(deliveries.Length > 0);
        }
        else if (finished.Verdict == QueueVerdict.Full)
        {
            await QueueRetry.UntilAnsweredAsync(() => journal.Queue.GiveBackAsync(item.Lease, CancellationToken.None), Time, cancellation);
        }

        return finished.Verdict != QueueVerdict.Full;
    }

    private static NewItem Delivery(ClaimedItem item, string subscriber) => new()
    {
        Id = DeliveryId(item.Item.Id, subscriber),
        Queue = EventEnvelope.Deliveries,
        SchemaVersion = EventEnvelope.Version,
        Route = subscriber,
        Group = subscriber,
        Metadata = item.Metadata,
        Body = item.Body,
    };

    private static partial class Log
    {
        [LoggerMessage(401, LogLevel.Warning, "Stored events wait: the journal has no room for their deliveries ({Reason}). They go on when deliveries end")]
        public static partial void NoRoom(ILogger logger, string reason);

        [LoggerMessage(402, LogLevel.Information, "All stored events have their deliveries: the journal had room for them again")]
        public static partial void HasRoom(ILogger logger);
    }
}
