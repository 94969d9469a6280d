using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.WebUtilities;
using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Answers;

/// <summary>What a well-behaved server cannot do, done below it on the connection.</summary>
internal sealed class RawAnswer(Clock clock)
{
    private const int Drops = 20;

    /// <summary>Cuts the connection; over HTTP/2 that ends its other streams too, as a real break does.</summary>
    public static void Cut(HttpContext context)
    {
        context.Abort();
        context.Features.Get<IConnectionLifetimeFeature>()?.Abort();
    }

    /// <summary>
    /// Sends the prepared head in small pieces over <paramref name="length"/>, then the body, then closes.
    /// HTTP/2 has no bytes of a head to drip: there it waits, and answers as usual.
    /// </summary>
    public async Task DripAsync(HttpContext context, byte[] body, TimeSpan length)
    {
        var transport = context.Features.Get<IConnectionTransportFeature>()?.Transport;
        if (transport is null || !HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            await clock.DelayAsync(length);
            context.Response.BodyWriter.Write(body);
            return;
        }

        var head = Head(context.Response);
        var piece = Math.Max(1, head.Length / Drops);
        for (var at = 0; at < head.Length; at += piece)
        {
            var flush = await WriteAsync(transport.Output, head.AsMemory(at, Math.Min(piece, head.Length - at)));
            if (flush.IsCompleted) { break; }
            await clock.DelayAsync(length / Drops);
        }

        await WriteAsync(transport.Output, body);
        await LingerAsync(context, clock.Stopping);
        Cut(context);
    }

    /// <summary>Waits until the client has gone, but not for long: a cut may overtake what was written.</summary>
    public static async Task LingerAsync(HttpContext context, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        using var any = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, limit.Token, stop);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var _ = any.Token.Register(gone.SetResult);
        await gone.Task;
    }

    private ValueTask<FlushResult> WriteAsync(PipeWriter output, ReadOnlyMemory<byte> bytes) =>
        output.WriteAsync(bytes, clock.Stopping);

    private byte[] Head(HttpResponse response)
    {
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture,
            $"HTTP/1.1 {response.StatusCode} {ReasonPhrases.GetReasonPhrase(response.StatusCode)}\r\n");
        foreach (var (name, values) in response.Headers)
        {
            foreach (var value in values) { head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n"); }
        }

        if (response.Headers.Date.Count == 0)
        {
            head.Append(CultureInfo.InvariantCulture, $"Date: {RateHeaders.HttpDate(clock.Now)}\r\n");
        }

        return Encoding.ASCII.GetBytes(head.Append("Connection: close\r\n\r\n").ToString());
    }
}
