using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Hosting;
using SendProxy.Sending;

namespace SendProxy.Egress;

/// <summary>
/// The way of a send through the local port: 1 guard and route, 2 body, 3 key, 4 check, 5 send and answer, or store, 6 log. Each stage may end it.
/// </summary>
internal sealed class EgressHandler(
    Live<EgressState> live, RequestPreparer preparer, ISender sender, OutboxStage outbox, ResponseWriter writer, EgressTelemetry telemetry) : IRequestActivity
{
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    private int _inFlight;

    /// <summary>Requests that are worked on now.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Monotonic time of the last request's end: what draining waits to be quiet.</summary>
    public long LastActive { get; private set; }

    public async Task HandleAsync(HttpContext context)
    {
        var state = live.Current;
        var call = telemetry.Begin(context);
        var running = Interlocked.Increment(ref _inFlight);
        telemetry.InFlight(running);
        try
        {
            call.Refusal = running > state.MaxInFlight
                ? Refusal.NotSent(ProxyError.Overloaded, $"process.maxInFlight ({state.MaxInFlight}) requests are running.", TryAgain)
                : await preparer.PrepareAsync(context, state, call);
            if (call is { Refusal: null, Storing: not null })
            {
                // 5 store it
                call.Refusal = await outbox.RunAsync(context, state, call);
            }
            else if (call.Refusal is null && (call.Refusal = writer.Memory.Reserve(call)) is null)
            {
                // 5 send, and the answer back
                call.Outcome = await sender.SendAsync(call.Message!, context.RequestAborted);
                call.Refusal = call.Outcome.Refusal;
            }

            await (call.Refusal is { } refusal ? RefuseAsync(context, call, refusal) : call.IsAnswered ? Task.CompletedTask : writer.WriteAsync(context, call));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone; there is nobody to answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            // A defect of this program. Where the response has begun, Kestrel breaks it off instead.
            telemetry.Defect(e, call);
            call.Refusal = new Refusal(ProxyError.Internal, call.Sent, "The log has the reason, by the request's id.");
            await RefuseAsync(context, call, call.Refusal);
        }
        finally
        {
            call.Body.Dispose();
            writer.Memory.Release(call);
            call.Settle();
            call.Outcome?.Response?.Dispose();
            call.Leave();
            LastActive = telemetry.Timestamp;
            context.Features.Get<ListenerConnection>()?.RequestEnded(LastActive);
            telemetry.InFlight(Interlocked.Decrement(ref _inFlight));
            telemetry.Ended(context, call); // 6 log
        }
    }

    private static Task RefuseAsync(HttpContext context, EgressContext call, Refusal refusal)
    {
        var format = call.Route?.Plan?.Pipeline.Upstream.Options.Errors ?? ClientErrorFormat.Default;
        call.Explain(context.Response.Headers);
        return Problem.WriteAsync(context, call.MustNotBeRepeated ? format.Undecided(refusal) : refusal, call.RequestId, format.Member);
    }
}
