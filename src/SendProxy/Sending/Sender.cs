using Polly;
using Polly.CircuitBreaker;
using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Sending;

/// <summary>
/// The way of a send below the forwarder: 1 credential, 2 gate of keys, 3 permit, 4 first attempt, 5 what follows it, 6 outcome.
/// </summary>
internal sealed class Sender(SendingMetrics metrics, Settler settler, IdempotencyGate gate, TimeProvider time, Func<double> draw) : ISender
{
    public async Task<SendOutcome> SendAsync(OutboundMessage message, CancellationToken caller)
    {
        // 1 credential: chosen once, the same for all attempts until a 401.
        var line = message.Plan.Line;
        if (line.Upstream.Credential.Choose(draw()) is not { } key)
        {
            return Refused(new Refusal(ProxyError.CredentialUnavailable, Sent.No,
                $"No usable key: upstreams.{line.Upstream.Name}.credential ({line.Upstream.Credential.Watched.Place}) is "
                + $"{Secrets.SecretMetrics.Word(line.Upstream.Credential.Watched.State)}."), TimeSpan.Zero);
        }

        if (SpliceKey(message) is not { } splice)
        {
            return Refused(Refusal.NotSent(ProxyError.BodyInvalid,
                $"upstreams.{line.Upstream.Name}.idempotency writes the key into a JSON object at {line.Upstream.Options.Idempotency.Pointer}; the body has no place for it."), TimeSpan.Zero);
        }

        // 2 gate of keys: only for a key that outlives this request
        var pass = IdempotencyGate.Guards(message.Key) ? await gate.EnterAsync(message, caller) : default;
        if (pass.Refusal is { } notThrough)
        {
            return Refused(notThrough, TimeSpan.Zero);
        }

        if (pass.Replay is { } replay)
        {
            return new SendOutcome { Answer = replay.ToMessage(), Body = replay.Body, Attempts = 0, Queued = TimeSpan.Zero, Sent = Sent.Yes, IsReplay = true };
        }

        var run = new SendRun(message, key, pass, time, draw) { Splice = splice };
        try
        {
            // 3 permit
            if (await TakePermitsAsync(run, caller) is { } refusal)
            {
                await gate.LeaveAsync(message, pass, null, run.Sent, run.StartedAt);
                return Refused(refusal with { Sent = run.Sent }, run.Queued);
            }

            // 4 first attempt
            line.Budget.FirstAttempt();
            var result = await AttemptAsync(run, caller);

            // 5 what follows: Polly waits and counts, the run decides
            if (result.Happened != Happened.Final)
            {
                result = await FollowAsync(run, result, caller);
            }

            // 6 outcome
            await RecordAsync(run, result);
            return Outcomes.Of(run, result);
        }
        catch (OperationCanceledException) when (run.Last is { IsLeft: true } begun)
        {
            // The caller left while an attempt runs: it goes on without it.
            settler.Adopt(begun.Running!, line.Upstream.Name, async result => await gate.LeaveAsync(message, pass, result, run.Sent, run.StartedAt));
            throw;
        }
        catch (OperationCanceledException)
        {
            // The caller left between attempts: whoever asks with this key next goes on.
            await gate.LeaveAsync(message, pass, null, run.Sent, run.StartedAt);
            throw;
        }
    }

    // Behind the answer where the vendor deduplicates, before it where only the record does.
    private ValueTask RecordAsync(SendRun run, AttemptResult result)
    {
        var recorded = gate.LeaveAsync(run.Message, run.Pass, result, run.Sent, run.StartedAt);
        if (!run.Message.Plan.Line.Upstream.Options.Idempotency.Deduplicates || recorded.IsCompleted)
        {
            return recorded;
        }

        settler.Track(recorded.AsTask());
        return ValueTask.CompletedTask;
    }

    private static BodySplice? SpliceKey(OutboundMessage message) =>
        message.Plan.Line.Upstream.Options.Idempotency is { Kind: Upstreams.CarrierKind.Body, Pointer: { } pointer } && message.Key.Value.Length > 0
            ? BodyKey.Splice(message.Body.Memory.Span, pointer, message.Key.Value)
            : BodySplice.None;

    private static SendOutcome Refused(Refusal refusal, TimeSpan queued) =>
        new() { Refusal = refusal, Attempts = 0, Queued = queued, Sent = refusal.Sent };

    private async ValueTask<Refusal?> TakePermitsAsync(SendRun run, CancellationToken caller)
    {
        var start = time.GetTimestamp();
        var refusal = await run.Permits.TakeAsync(run.Attempts > 0, run.Message.Deadline, caller);
        run.Queued += time.GetElapsedTime(start);
        return refusal;
    }

    private async Task<AttemptResult> FollowAsync(SendRun run, AttemptResult first, CancellationToken caller)
    {
        var context = ResilienceContextPool.Shared.Get(caller);
        context.Properties.Set(UpstreamLine.RunKey, run);
        try
        {
            var outcome = await run.Message.Plan.Line.Retries.ExecuteOutcomeAsync(
                static async (context, state) =>
                {
                    // The pipeline's first call yields what is known already; each further one is an attempt.
                    var known = state.First;
                    state.First = null;
                    return Polly.Outcome.FromResult(known ?? await state.Sender.AgainAsync(state, context.CancellationToken));
                },
                context,
                new Following(this, run) { First = first, Last = first });
            outcome.ThrowIfException();
            return outcome.Result!;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task<AttemptResult> AgainAsync(Following state, CancellationToken caller)
    {
        var (run, last) = (state.Run, state.Last);
        caller.ThrowIfCancellationRequested();
        if (await TakePermitsAsync(run, caller) is not null)
        {
            // No permit in time for another attempt: the last answer is the answer.
            return last with { MayRepeat = false };
        }

        last.Answer?.Dispose();
        metrics.Retried(run.Message.Plan.Line.Upstream.Name, last.Happened);
        state.Last = await AttemptAsync(run, caller);
        return state.Last;
    }

    private ValueTask<AttemptResult> AttemptAsync(SendRun run, CancellationToken caller) => run.Message.Plan.Line.IsClosed
        ? run.Next(metrics, time, reports: true).RunAsync(caller)
        : AttemptInsideAsync(run, caller);

    private async ValueTask<AttemptResult> AttemptInsideAsync(SendRun run, CancellationToken caller)
    {
        var context = ResilienceContextPool.Shared.Get(caller);
        try
        {
            var outcome = await run.Message.Plan.Line.Attempt.ExecuteOutcomeAsync(
                static async (context, state) =>
                {
                    try
                    {
                        return Polly.Outcome.FromResult(await state.Run.Next(state.Metrics, state.Time, reports: false).RunAsync(context.CancellationToken));
                    }
                    catch (OperationCanceledException e)
                    {
                        return Polly.Outcome.FromException<AttemptResult>(e);
                    }
                },
                context,
                (Run: run, Metrics: metrics, Time: time));
            if (outcome.Exception is BrokenCircuitException open)
            {
                run.Permits.End(started: false, null, throttled: false);
                return AttemptResult.Failed(Happened.NothingWritten, ProxyError.UpstreamBreakerOpen, mayRepeat: false,
                    open.RetryAfter ?? run.Message.Plan.Line.Breaker.OpenFor);
            }

            outcome.ThrowIfException();
            return outcome.Result!;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private sealed class Following(Sender sender, SendRun run)
    {
        public Sender Sender => sender;

        public SendRun Run => run;

        public AttemptResult? First { get; set; }

        public required AttemptResult Last { get; set; }
    }
}
