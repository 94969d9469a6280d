using SendProxy.Errors;
using SendProxy.Outbox.Handover;
using SendProxy.Outbox.Intake;
using SendProxy.Outbox.Status;

namespace SendProxy.Egress;

/// <summary>Stage 5 of requests that have to do with the outbox: stores a message and answers 202, or answers what is asked of stored ones.</summary>
internal sealed class OutboxStage(OutboxIntake intake, OutboxEndpoint endpoint, OutboxBatch batch, MessageHandover handover, ResponseMemory memory)
{
    /// <returns>Null where it has answered.</returns>
    public ValueTask<Refusal?> RunAsync(HttpContext context, EgressState state, EgressContext call) => call.Storing!.When switch
    {
        StoreWhen.Never => EndpointAsync(context, state, call),
        StoreWhen.Now => StoreAsync(context, call),
        _ => SendAsync(context, call),
    };

    private async ValueTask<Refusal?> EndpointAsync(HttpContext context, EgressState state, EgressContext call)
    {
        context.Response.Headers["SendProxy-Request-Id"] = call.RequestId;
        var refusal = await (OutboxBatch.IsIts(context.Request) ? batch.HandleAsync(context, state) : endpoint.HandleAsync(context));
        call.IsAnswered = refusal is null;
        return refusal;
    }

    private async ValueTask<Refusal?> SendAsync(HttpContext context, EgressContext call)
    {
        if (memory.Reserve(call) is { } noRoom)
        {
            return noRoom;
        }

        var storing = call.Storing!;
        var (outcome, accepted) = await handover.SendAsync(call.Message!, storing.Terms, storing.Gate!, storing.Preferences.Wait, context.RequestAborted);
        if (accepted is { } stored)
        {
            return await AcceptedAsync(context, call, stored);
        }

        call.Outcome = outcome;
        return outcome!.Refusal;
    }

    private async ValueTask<Refusal?> StoreAsync(HttpContext context, EgressContext call)
    {
        var submission = new OutboxSubmission(call.Message!, call.Storing!.Terms);
        return await AcceptedAsync(context, call, (await intake.AcceptAsync([submission], context.RequestAborted))[0]);
    }

    private async ValueTask<Refusal?> AcceptedAsync(HttpContext context, EgressContext call, Acceptance accepted)
    {
        if (accepted.Refusal is { } refusal)
        {
            return refusal;
        }

        if (accepted.IsDuplicate)
        {
            // It was counted when it came first.
            call.Recipients?.GiveBack();
        }

        await AnswerAsync(context, call, accepted);
        return null;
    }

    // The store is not asked again: what was just stored is queued, and what was stored before tells its state at Location.
    private async Task AnswerAsync(HttpContext context, EgressContext call, Acceptance accepted)
    {
        (call.IsAnswered, call.Accepted) = (true, accepted);
        var response = context.Response;
        response.StatusCode = StatusCodes.Status202Accepted;
        call.Explain(response.Headers);
        response.Headers.Location = $"{OutboxEndpoint.Path}/{accepted.Id}";
        response.Headers["SendProxy-Durability"] = intake.Durability;
        if (call.Storing!.Preferences is { RespondAsync: true } preferences)
        {
            response.Headers["Preference-Applied"] = preferences.Applied;
        }

        if (accepted.IsDuplicate)
        {
            response.Headers["Idempotency-Replayed"] = "true";
        }

        var body = AcceptedView.Body(accepted, call.Message!, call.Storing.Terms);
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, CancellationToken.None);
    }
}
