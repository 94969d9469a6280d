using System.Net;
using SendProxy.Errors;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.Responses;
using SendProxy.Upstreams;
using SendProxy.Upstreams.Connections;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Sending.Attempts;

/// <summary>
/// One attempt, step by step: 1 request, 2 response, 3 what it means, 4 account. It ends by itself by its timeout, and never throws
/// for what a network or a vendor can do.
/// </summary>
/// <param name="permits">The attempt owns them: it completes them or gives them back, however it ends.</param>
/// <param name="reportsToBreaker">It ran outside of the breaker, and tells it how it ended.</param>
internal sealed class UpstreamAttempt(SendContext send, PermitLease permits, SendingMetrics metrics, TimeProvider time, bool reportsToBreaker) : DetachableAttempt
{
    private OnceContent? _content;
    private CancellationTokenSource? _timer;

    /// <summary>True once the request may have left this process.</summary>
    public bool Started => _content is { Begun: true, RepeatEnded: false };

    private UpstreamOptions Options => send.Message.Plan.Pipeline.Upstream.Options;

    // A streamed body has one attempt: it may take all the time that is left.
    private TimeSpan Bound => send.Message.Streamed is null ? Shorter(Options.Timeouts.Attempt, send.Message.Deadline.Left) : send.Message.Deadline.Left;

    protected override async Task<AttemptResult> ExecuteAsync()
    {
        var upstream = send.Message.Plan.Pipeline.Upstream;
        var start = time.GetTimestamp();
        AttemptResult result;
        Exception? defect = null;
        HttpResponseMessage? response = null;
        bool isWaited = false, isQueued = !Options.Connections.Http2 && upstream.Connections.IsFull;
        var body = send.Message.Body.Hold();
        var usage = upstream.Credential.Begin(send.Credential);
        upstream.Connections.BeginAttempt();
        _timer = AttemptTimers.Rent(Positive(Bound), time);
        try
        {
            // 1 request
            using var request = AttemptRequest.Build(send, upstream, out _content);
            try
            {
                if (request is null)
                {
                    result = AttemptResult.Failed(AttemptOutcome.NothingWritten, ProxyError.CredentialUnavailable, mayRepeat: false);
                }
                else
                {
                    // 2 response
                    response = FinalOrBroken(await upstream.SendAsync(request, _timer.Token));
                    var reading = ResponseReader.ReadAsync(send.Message.Method, response, out var decoded, _timer.Token);
                    if (!reading.IsCompleted)
                    {
                        // The headers came in time. A body that is held whole must also come before the caller's time is over.
                        _timer.CancelAfter(Positive(Shorter(Options.Timeouts.BodyIdle, send.Message.Deadline.Left)));
                    }

                    metrics.Encoded(upstream.Name, decoded);
                    var whole = await reading;
                    Scrub(response, whole);

                    // 3 what it means
                    result = AttemptClassifier.OfResponse(response, whole, Options, time.GetUtcNow());
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException || (e is InvalidDataException && response is not null))
            {
                result = Failure(e, response, isQueued);
            }

            // 4 account
            AttemptAccounting.Record(send, permits, result, Started, time.GetElapsedTime(start), metrics);
            if (reportsToBreaker)
            {
                await send.Message.Plan.Pipeline.ReportAsync(result);
            }

            isWaited = TryEnd();
        }
        catch (Exception e) when (TryEnd())
        {
            defect = e;
            throw;
        }
        finally
        {
            Release(upstream, usage, body, isWaited);
            SetException(defect);
        }

        if (isWaited)
        {
            SetResult(result);
        }

        return result;
    }

    protected override void OnDetached()
    {
        if (!Started)
        {
            _timer!.Cancel();
        }
    }

    private void Release(Upstream upstream, CredentialUsage usage, ReplayBody body, bool isWaited)
    {
        body.Dispose();

        // Both do nothing where the account was made. After a defect before that, the vendor may have acted, and counted the request.
        send.RecordEnd(Started);
        if (Started)
        {
            permits.Complete();
        }

        permits.Dispose();
        usage.End();
        upstream.Connections.EndAttempt();

        // A caller that left may still be about to cancel it: then nobody else may have it.
        AttemptTimers.Return(_timer!, isWaited);
    }

    private AttemptResult Failure(Exception exception, HttpResponseMessage? response, bool isQueued)
    {
        if (response is null)
        {
            return AttemptClassifier.OfFailure(exception, send.Message.Streamed?.Fault, _content, isQueued && _timer!.IsCancellationRequested);
        }

        using (response)
        {
            return AttemptClassifier.OfIncompleteResponse(response, Options, time.GetUtcNow());
        }
    }

    private void Scrub(HttpResponseMessage response, byte[]? body)
    {
        var scrubber = new ResponseScrubber(Options.Name, send.Credential.Secret, metrics);
        scrubber.ScrubHead(response);
        if (body is null)
        {
            scrubber.ScrubStream(response, Options.Timeouts.BodyIdle, time);
        }
        else
        {
            scrubber.ScrubBody(body);
        }
    }

    // RFC 9110, 15.2.2: no upgrade was asked for, and what follows is not HTTP.
    private static HttpResponseMessage FinalOrBroken(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.SwitchingProtocols)
        {
            return response;
        }

        response.Dispose();
        throw new IOException("The upstream switched protocols without being asked to.");
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Positive(TimeSpan left) => left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1);
}
