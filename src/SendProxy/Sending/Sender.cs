using Polly;
using Polly.CircuitBreaker;
using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;
using SendProxy.Sending.RateLimiting;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Sending;

/// <summary>
/// The way of a send below the forwarder: 1 credential, 2 gate of keys, 3 permit, 4 first attempt, 5 what follows it, 6 outcome.
/// </summary>
internal sealed class Sender(SendingMetrics metrics, DetachedAttemptTracker settler, IdempotencyGate gate, TimeProvider time, Func<double> draw) : ISender
{
    public async Task<SendOutcome> SendAsync(OutboundMessage message, CancellationToken caller)
    {
        // 1 credential: chosen once, the same for all attempts until a 401.
        var line = message.Plan.Pipeline;
        if (Choose(message) is not { } key)
        {
            return message.EarlierAttempt is null || line.Upstream.Credential.Choose(0) is null ? NoCredential(line) : OtherCredential(message);
        }

        if (SpliceKey(message) is not { } splice)
        {
            return NoPlaceForKey(line);
        }

        // 2 gate of keys: only for a key that outlives this request
        var pass = IdempotencyGate.Guards(message.IdempotencyKey) ? await gate.EnterAsync(message, caller) : default;
        TellUnrecorded();
        if (pass.Refusal is { } notThrough)
        {
            return Refused(notThrough, TimeSpan.Zero);
        }

        if (pass.Replay is { } replay)
        {
            return new SendOutcome { Response = replay.ToMessage(), Body = replay.Body, Attempts = 0, Queued = TimeSpan.Zero, Sent = replay.Sent, IsReplay = true };
        }

        var send = new SendContext(message, key, pass, time, draw) { Splice = splice };
        try
        {
            // 3 permit
            var permits = await AcquirePermitsAsync(send, caller);
            if ((permits.Refusal ?? await AnnounceAsync(send, permits)) is { } refusal)
            {
                await gate.LeaveAsync(message, pass, null, send.Sent, send.StartedAt);
                // This send sent nothing; an earlier attempt under this key may have been sent.
                return Refused(refusal with { Sent = send.Sent, RepetitionIsHeld = true }, send.Queued);
            }

            // 4 first attempt
            line.Budget.FirstAttempt();
            var result = await AttemptAsync(send, permits, caller);

            // 5 what follows, where anything does
            if (result.Outcome != AttemptOutcome.Final && send.Decide(result).IsRetry)
            {
                result = await RetryAsync(send, result, caller);
            }

            // 6 outcome
            await RecordAsync(send, result);
            return SendOutcomeFactory.Of(send, result);
        }
        catch (OperationCanceledException) when (send.Last is { IsDetached: true } attempt)
        {
            // The caller left while an attempt runs: it goes on without it.
            settler.Adopt(attempt.Completion!, line.Upstream.Name, async result => await gate.LeaveAsync(message, pass, result, send.Sent, send.StartedAt));
            throw;
        }
        catch
        {
            // The caller left between attempts, or a defect ended the send: whoever asks with this key next need not wait for the record's lease.
            await gate.LeaveAsync(message, pass, null, send.Sent, send.StartedAt);
            throw;
        }
    }

    // Idempotency keys belong to a credential: under another one the vendor would take the message for a new one.
    private SelectedCredential? Choose(OutboundMessage message)
    {
        var credential = message.Plan.Pipeline.Upstream.Credential;
        return message is { EarlierAttempt: not null, CredentialFingerprint: { } before } ? credential.Find(before) : credential.Choose(draw());
    }

    private static SendOutcome OtherCredential(OutboundMessage message) =>
        Refused(new Refusal(ProxyError.OutcomeUnknown, Sent.Maybe,
            $"An attempt may have been sent with the key {message.CredentialFingerprint} of upstreams.{message.Plan.Pipeline.Upstream.Name}.credential, which is not there any more."), TimeSpan.Zero);

    private static SendOutcome NoCredential(UpstreamPipeline line) =>
        Refused(new Refusal(ProxyError.CredentialUnavailable, Sent.No,
                $"No usable key: upstreams.{line.Upstream.Name}.credential ({line.Upstream.Credential.Watched.Place}) is "
                + $"{Secrets.SecretMetrics.Told(line.Upstream.Credential.Watched.State)}: {Secrets.SecretPoller.Advice(line.Upstream.Credential.Watched.State)}."), TimeSpan.Zero);

    private static SendOutcome NoPlaceForKey(UpstreamPipeline line) =>
        Refused(Refusal.NotSent(ProxyError.BodyInvalid,
                $"upstreams.{line.Upstream.Name}.idempotency writes the key into a JSON object at {line.Upstream.Options.Idempotency.Pointer}; the body has no place for it."), TimeSpan.Zero);

    private void TellUnrecorded()
    {
        if (gate.TellUnrecordedAsync() is { IsCompleted: false } telling)
        {
            settler.Track(telling);
        }
    }

    // Where the vendor deduplicates, the record is written after the caller has its answer; where only the record does, before.
    private ValueTask RecordAsync(SendContext send, AttemptResult result)
    {
        var recorded = gate.LeaveAsync(send.Message, send.Pass, result, send.Sent, send.StartedAt);
        if (!send.Message.Carrier.Deduplicates || recorded.IsCompleted)
        {
            return recorded;
        }

        settler.Track(recorded.AsTask());
        return ValueTask.CompletedTask;
    }

    private static BodyInsertion? SpliceKey(OutboundMessage message) =>
        message.Carrier is { Kind: Upstreams.CarrierKind.Body, Pointer: { } pointer } && message.IdempotencyKey.Value.Length > 0
            ? IdempotencyKeyWriter.Splice(message.Body.Memory.Span, pointer, message.IdempotencyKey.Value)
            : BodyInsertion.None;

    private static SendOutcome Refused(Refusal refusal, TimeSpan queued) =>
        new() { Refusal = refusal, Attempts = 0, Queued = queued, Sent = refusal.Sent, RetryAfter = refusal.RetryAfter };

    private async ValueTask<PermitLease> AcquirePermitsAsync(SendContext send, CancellationToken caller)
    {
        var start = time.GetTimestamp();
        var permits = await PermitLease.AcquireAsync(send.Message, isRepeat: send.Attempts > 0, time, caller);
        send.Queued += time.GetElapsedTime(start);
        send.Acquired(permits);
        return permits;
    }

    // The permits are held while whoever must know first is told, and go back where nothing may be sent then.
    private static async ValueTask<Refusal?> AnnounceAsync(SendContext send, PermitLease permits)
    {
        if (send.Message.BeforeAttempt is not { } announce)
        {
            return null;
        }

        var maySend = false;
        try
        {
            var refusal = await announce(send.Credential.Fingerprint);
            maySend = refusal is null;
            return refusal;
        }
        finally
        {
            if (!maySend)
            {
                permits.Dispose();
            }
        }
    }

    // Polly's retry takes over where the first attempt calls for another: most sends never pay for the pipeline (decision 0003).
    private async Task<AttemptResult> RetryAsync(SendContext send, AttemptResult first, CancellationToken caller)
    {
        var context = ResilienceContextPool.Shared.Get(caller);
        context.Properties.Set(UpstreamPipeline.ContextKey, send);
        try
        {
            var outcome = await send.Message.Plan.Pipeline.Retries.ExecuteOutcomeAsync(
                static async (context, state) =>
                {
                    // The attempt that the pipeline runs first was made before; each further call makes one.
                    var result = state.IsFirst ? state.Last : await state.Sender.NextAttemptAsync(state, context.CancellationToken);
                    state.IsFirst = false;
                    return Polly.Outcome.FromResult(result);
                },
                context,
                new RetryState(this, send) { Last = first });
            outcome.ThrowIfException();
            return outcome.Result!;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task<AttemptResult> NextAttemptAsync(RetryState state, CancellationToken caller)
    {
        var (send, last) = (state.Send, state.Last);
        caller.ThrowIfCancellationRequested();
        var permits = await AcquirePermitsAsync(send, caller);
        if (permits.Refusal is not null)
        {
            // No permit in time for another attempt: the last answer is the answer.
            var refused = last with { MayRepeat = false };
            send.Decide(refused);
            return refused;
        }

        last.Response?.Dispose();
        metrics.Retried(send.Message.Plan.Pipeline.Upstream.Name, last.Outcome);
        state.Last = await AttemptAsync(send, permits, caller);
        send.Decide(state.Last);
        return state.Last;
    }

    private ValueTask<AttemptResult> AttemptAsync(SendContext send, PermitLease permits, CancellationToken caller) => send.Message.Plan.Pipeline.IsClosed
        ? send.Next(permits, metrics, reportsToBreaker: true).RunAsync(caller)
        : AttemptInsideBreakerAsync(send, permits, caller);

    // The breaker may let no attempt through, or the caller may leave before it does: then the permits are still this method's.
    private async ValueTask<AttemptResult> AttemptInsideBreakerAsync(SendContext send, PermitLease permits, CancellationToken caller)
    {
        var begun = send.Attempts;
        var context = ResilienceContextPool.Shared.Get(caller);
        try
        {
            var outcome = await send.Message.Plan.Pipeline.Attempt.ExecuteOutcomeAsync(
                static async (context, state) =>
                {
                    try
                    {
                        return Polly.Outcome.FromResult(await state.Send.Next(state.Permits, state.Metrics, reportsToBreaker: false).RunAsync(context.CancellationToken));
                    }
                    catch (OperationCanceledException e)
                    {
                        return Polly.Outcome.FromException<AttemptResult>(e);
                    }
                },
                context,
                (Send: send, Permits: permits, Metrics: metrics));
            if (outcome.Exception is BrokenCircuitException open)
            {
                return AttemptResult.Failed(AttemptOutcome.NothingWritten, ProxyError.UpstreamBreakerOpen, mayRepeat: false,
                    open.RetryAfter ?? send.Message.Plan.Pipeline.Breaker.OpenFor);
            }

            outcome.ThrowIfException();
            return outcome.Result!;
        }
        finally
        {
            if (send.Attempts == begun)
            {
                permits.Dispose();
            }

            ResilienceContextPool.Shared.Return(context);
        }
    }

    private sealed class RetryState(Sender sender, SendContext send)
    {
        public Sender Sender => sender;

        public SendContext Send => send;

        public bool IsFirst { get; set; } = true;

        public required AttemptResult Last { get; set; }
    }
}
