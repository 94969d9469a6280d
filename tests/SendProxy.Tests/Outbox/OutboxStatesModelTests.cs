using CsCheck;
using SendProxy.Outbox.Messages;
using SendProxy.Queueing;
using SendProxy.Tests.Queueing;

namespace SendProxy.Tests.Outbox;

// Random moves of a few messages on a real queue, restarts among them: no message ever goes from state to state but by the table.
public class OutboxStatesModelTests
{
    private const int Messages = 4;

    private static readonly Gen<(int Step, int Item, int Choice)[]> Steps = Gen.Select(Gen.Int[0, 11], Gen.Int[0, Messages - 1], Gen.Int[0, 3]).Array[1, 60];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Moves_AtRandom_FollowTheTable()
    {
        var seen = new HashSet<(OutboxState?, OutboxState)>();

        await Steps.SampleAsync(async steps => await RunAsync(steps, seen), iter: 1000);

        // It met most of the table: else it would prove little.
        var missed = OutboxTransitions.All.Where(t => !seen.Contains((t.From, t.To))).ToArray();
        Assert.True(missed.Length <= 3, string.Join('\n', missed.Select(t => t.ToString())));
    }

    private static async Task RunAsync((int Step, int Item, int Choice)[] steps, HashSet<(OutboxState?, OutboxState)> seen)
    {
        await using var test = await SqliteQueueUnderTest.OpenAsync(SqliteQueueUnderTest.NewOptions());
        var ids = new Guid?[Messages];
        var states = new OutboxState?[Messages];
        var leases = new Dictionary<Guid, Lease>();
        foreach (var (step, item, choice) in steps)
        {
            await TakeAsync(test, step, choice, ids, item, leases);
            for (var i = 0; i < Messages; i++)
            {
                if (ids[i] is not { } id || OutboxStates.Of((await test.Queue.GetAsync(OutboxEnvelope.Queue, id, Cancel)).Value!.State) is var now && now == states[i])
                {
                    continue;
                }

                Assert.True(OutboxTransitions.Allows(states[i], now), $"{states[i]} -> {now} by step {step} {choice}");
                lock (seen)
                {
                    seen.Add((states[i], now));
                }

                states[i] = now;
            }
        }
    }

    private static async Task TakeAsync(QueueUnderTest test, int step, int choice, Guid?[] ids, int item, Dictionary<Guid, Lease> leases)
    {
        var (queue, now) = (test.Queue, test.Time.GetUtcNow());
        var id = ids[item];
        switch (step)
        {
            case 0 when id is null:
                var stored = (await queue.EnqueueAsync([New(choice, now)], Cancel))[0];
                ids[item] = stored.Id;
                Keep(leases, stored.Lease);
                break;
            case 1 or 2:
                var claimed = await queue.ClaimAsync(new ClaimRequest(OutboxEnvelope.Queue, 1) { Mark = choice == 0, Expired = step == 2 }, Cancel);
                claimed.Items.ToList().ForEach(c => Keep(leases, c.Lease));
                break;
            case 3 when id is { } leased && leases.Remove(leased, out var lease):
                await queue.FinishAsync(lease, choice switch { 0 => Finish.Done(), 1 => Finish.Dead("refused"), 2 => Finish.Unknown("process_ended"), _ => Finish.Expired() }, Cancel);
                break;
            case 4 when id is { } leased && leases.Remove(leased, out var lease):
                await (choice == 0 ? queue.GiveBackAsync(lease, Cancel) : queue.RetryAsync(lease, new Retry(now.AddSeconds(choice), "busy") { KeepAttempting = choice == 3 }, Cancel));
                break;
            case 5:
                await queue.HoldAsync(new Hold(OutboxEnvelope.Queue, HoldScope.Route, "sms", "operator"), Cancel);
                break;
            case 6 or 7:
                await queue.ReleaseAsync(OutboxEnvelope.Queue, HoldScope.Route, "sms", Cancel);
                break;
            case 8 when id is { } some:
                await queue.ReplayAsync(OutboxEnvelope.Queue, some, new Replay(choice > 1), Cancel);
                break;
            case 9 when id is { } some && choice == 0:
                await queue.DiscardAsync(OutboxEnvelope.Queue, some, Cancel);
                break;
            case 10 when choice == 0:
                leases.Clear();
                await test.RestartAsync();
                break;
            case 11:
                test.Time.Advance(TimeSpan.FromSeconds(choice));
                break;
        }
    }

    private static NewItem New(int choice, DateTimeOffset now) => new()
    {
        Queue = OutboxEnvelope.Queue,
        Route = "sms",
        Expires = choice == 1 ? now.AddSeconds(4) : null,
        LeaseFor = choice == 2 ? TimeSpan.FromSeconds(30) : null,
        Body = "x"u8.ToArray(),
    };

    private static void Keep(Dictionary<Guid, Lease> leases, Lease? lease)
    {
        if (lease is { } kept)
        {
            leases[kept.Id] = kept;
        }
    }
}
