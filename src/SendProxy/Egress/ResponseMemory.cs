using SendProxy.Errors;
using SendProxy.Overload;
using SendProxy.Sending.Responses;

namespace SendProxy.Egress;

/// <summary>The memory of responses on their way to the caller: reserved before a request is sent, and held no longer than the caller takes them.</summary>
internal sealed class ResponseMemory(MemoryBudget budget, DataRateMonitor rates)
{
    // Of a response that streams: YARP's buffer, and what the connection holds until the caller takes it.
    private const int StreamingBytes = 128 * 1024;

    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    /// <summary>Before a request is sent: reserves what its response may take while it is read whole.</summary>
    /// <returns>Null where there is room, which <see cref="Release"/> gives back; else why not.</returns>
    public Refusal? Reserve(EgressContext call)
    {
        if (budget.TryReserve(MemoryUse.ResponseBody, ResponseReader.MaxBufferedBytes))
        {
            call.ResponseBytes = ResponseReader.MaxBufferedBytes;
            return null;
        }

        rates.EndLongest();
        return Refusal.NotSent(
            ProxyError.Overloaded, $"What running requests hold fills process.maxBufferedBytes ({Configuration.Units.FormatSize(budget.Bytes)}).", TryAgain);
    }

    public void Release(EgressContext call)
    {
        if (call.ResponseBytes > 0)
        {
            budget.Release(MemoryUse.ResponseBody, call.ResponseBytes);
            call.ResponseBytes = 0;
        }
    }

    /// <summary>A response begins to stream: the vendor has acted, so that this cannot be refused any more. A caller that takes nothing is cut off.</summary>
    public void Stream(HttpContext context, EgressContext call)
    {
        budget.Charge(MemoryUse.ResponseBody, StreamingBytes);
        call.ResponseBytes += StreamingBytes;
        context.Response.Body = new WatchedResponseStream(context.Response.Body, rates, context.Abort);
    }

    /// <summary>Writes a body that is held whole; cuts off a caller that does not take it.</summary>
    public Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> body)
    {
        var writing = context.Response.Body.WriteAsync(body, CancellationToken.None);
        return writing.IsCompletedSuccessfully ? Task.CompletedTask : WatchedAsync(writing.AsTask(), rates.Watch(context.Abort));
    }

    private static async Task WatchedAsync(Task writing, TransferWatch watch)
    {
        try
        {
            await watch.WriteAsync(writing);
        }
        catch (TransferTooSlowException)
        {
            // The caller's connection is closed: nobody is left to be told.
        }
    }
}
