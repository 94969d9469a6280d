using CsCheck;
using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;
using SendProxy.Tests.Sending;

namespace SendProxy.Tests.Issues;

// A permit is somebody's until it is back: whatever becomes of the attempt, the slots of a limit are all there again.
public class LostPermitTests
{
    private const string Slots = "limits: { calls: { concurrent: 2, maxWait: 0s } }";
    private const string Quick = "retry: { attempts: 2, baseDelay: 1ms, floor: 10000/s }, breaker: { failureRatio: 50%, openFor: 10m }";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Send_BreakerNotClosedAndTheCallerGone_GivesTheSlotBack()
    {
        await using var stage = new SendingFixture(Quick, Slots);
        await OpenBreakerAsync(stage);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Sender(stage).SendAsync(stage.Message(), new CancellationToken(canceled: true)));

        Assert.Equal(2, Free(stage));
    }

    [Fact]
    public async Task Send_BreakerOpen_GivesTheSlotBack()
    {
        await using var stage = new SendingFixture(Quick, Slots);
        await OpenBreakerAsync(stage);

        var outcome = await Sender(stage).SendAsync(stage.Message(), Token);

        Assert.Equal((ProxyError.UpstreamBreakerOpen, Sent.No, 2L), (outcome.Refusal!.Error, outcome.Sent, Free(stage)));
    }

    [Fact]
    public async Task Send_DefectInsideTheAttempt_GivesTheSlotBack()
    {
        await using var stage = new SendingFixture(Quick, Slots);

        await Assert.ThrowsAnyAsync<Exception>(() => Sender(stage).SendAsync(stage.Message(headers: new Torn()), Token));

        Assert.Equal(2, Free(stage));
    }

    [Fact]
    public async Task Send_AnySequenceOfEnds_GivesAllSlotsBack() => await Gen.Int[0, 3].Array[1, 12].SampleAsync(
        async ends =>
        {
            await using var stage = new SendingFixture(Quick, Slots);
            foreach (var end in ends)
            {
                using var caller = new CancellationTokenSource();
                var message = stage.Message(headers: end == 1 ? new Torn() : null);
                if (end == 2)
                {
                    await caller.CancelAsync();
                }
                else if (end == 3)
                {
                    await OpenBreakerAsync(stage);
                }

                try
                {
                    await Sender(stage).SendAsync(message, caller.Token);
                }
                catch (Exception e) when (e is OperationCanceledException or InvalidOperationException)
                {
                    // One of the ends.
                }
            }

            // An attempt whose caller left ends by itself.
            await stage.Get<SendProxy.Sending.DetachedAttemptTracker>().DrainAsync(Token);
            return Free(stage) == 2;
        },
        iter: 30);

    private static long Free(SendingFixture stage) => stage.Plan.Limits[0].GetStatistics()!.CurrentAvailablePermits;

    private static SendProxy.Sending.Sender Sender(SendingFixture stage) => stage.Sender(stage.Get<IdempotencyGate>());

    private static async Task OpenBreakerAsync(SendingFixture stage)
    {
        for (var i = 0; i < 40 && stage.Plan.Pipeline.IsClosed; i++)
        {
            await stage.Plan.Pipeline.ReportAsync(AttemptResult.Failed(AttemptOutcome.Broke, ProxyError.UpstreamBroken));
        }

        Assert.False(stage.Plan.Pipeline.IsClosed);
    }

    /// <summary>Headers that break as they are read: a defect inside the attempt.</summary>
    private sealed class Torn : IReadOnlyList<KeyValuePair<string, string>>
    {
        public int Count => 1;

        public KeyValuePair<string, string> this[int index] => throw new InvalidOperationException("torn");

        public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => throw new InvalidOperationException("torn");

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
