using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Control;
using SendProxy.Sandbox.Recording;

namespace SendProxy.Sandbox.Server;

/// <summary>Where each request comes in: /sandbox is for tests; everything else is the API, and is noted.</summary>
internal sealed class FrontDoor(
    RequestLog requests, ControlDoor control, ApiDoor api, AnswerWriter writer, IdSource ids, Clock clock)
{
    public Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        return path.StartsWith("/sandbox", StringComparison.Ordinal)
            ? control.HandleAsync(context, path)
            : GuardedAsync(context);
    }

    private async Task GuardedAsync(HttpContext context)
    {
        var entry = requests.Arrive(context.Request, clock.Now);
        var exchange = new Exchange(context, clock, ids.Next("req_"), entry);
        try
        {
            await api.HandleAsync(exchange);
        }
        catch (Exception problem) when (problem is IOException or OperationCanceledException)
        {
            // The client went away or the sandbox stops: there is nobody to answer.
            context.Abort();
        }
#pragma warning disable CA1031 // The outermost place: whatever it is, a client sees no more than a 500.
        catch (Exception)
#pragma warning restore CA1031
        {
            if (context.Response.HasStarted) { context.Abort(); }
            else { await writer.WriteAsync(exchange, Answer.Of(ApiError.Internal, exchange.RequestId)); }
        }
    }
}
