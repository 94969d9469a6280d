using System.Net;
using System.Threading.Tasks.Sources;
using SendProxy.Errors;
using SendProxy.Sending.Idempotency;
using SendProxy.Sending.RateLimiting;
using SendProxy.Upstreams;
using SendProxy.Upstreams.Connections;
using SendProxy.Upstreams.Credentials;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Sending.Attempts;

/// <summary>
/// One attempt: request out, answer in, judged and scrubbed. Ends by itself by its timeout, whether or not anyone waits.
/// Never throws for what a network or a vendor can do.
/// </summary>
/// <param name="reports">It ran outside of the breaker, and tells it how it ended.</param>
internal sealed class UpstreamAttempt(SendContext send, SendingMetrics metrics, TimeProvider time, bool reports) : IValueTaskSource<AttemptResult>
{
    private const int Open = 0;
    private const int Ended = 1;
    private const int Left = 2;

    // Who waits is told once: by the attempt's end, or by the caller that leaves.
    private ManualResetValueTaskSourceCore<AttemptResult> _told;
    private CancellationTokenRegistration _leaving;
    private int _state;
    private OnceContent? _content;
    private CancellationTokenSource? _timer;
    private HttpResponseMessage? _answer;
    private bool _waits;

    private UpstreamOptions Options => send.Message.Plan.Pipeline.Upstream.Options;

    /// <summary>True once the request may have left this process.</summary>
    public bool Started => _content is { Begun: true, RepeatEnded: false };

    /// <summary>The caller left, and the attempt goes on.</summary>
    public bool IsLeft => Volatile.Read(ref _state) == Left;

    /// <summary>The attempt, whoever waits. Null before it runs.</summary>
    public Task<AttemptResult>? Running { get; private set; }

    /// <summary>Runs the attempt. Once, and its result is asked for once.</summary>
    /// <param name="caller">Cancelled: the wait ends; the attempt goes on, unless nothing of it has left yet.</param>
    /// <exception cref="OperationCanceledException">Only when <paramref name="caller"/> is cancelled.</exception>
    public ValueTask<AttemptResult> RunAsync(CancellationToken caller)
    {
        Running = AttemptAsync();
        _leaving = caller.UnsafeRegister(static (attempt, token) => ((UpstreamAttempt)attempt!).Leave(token), this);
        return new ValueTask<AttemptResult>(this, _told.Version);
    }

    AttemptResult IValueTaskSource<AttemptResult>.GetResult(short token)
    {
        _leaving.Unregister();
        return _told.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<AttemptResult>.GetStatus(short token) => _told.GetStatus(token);

    void IValueTaskSource<AttemptResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _told.OnCompleted(continuation, state, token, flags);

    private void Leave(CancellationToken caller)
    {
        if (Interlocked.CompareExchange(ref _state, Left, Open) != Open)
        {
            return;
        }

        if (!Started)
        {
            _timer!.Cancel();
        }

        _told.SetException(new OperationCanceledException(caller));
    }

    private async Task<AttemptResult> AttemptAsync()
    {
        var upstream = send.Message.Plan.Pipeline.Upstream;
        var key = send.Credential;
        var start = time.GetTimestamp();
        AttemptResult result;
        var isWaited = false;
        var body = send.Message.Body.Hold();
        var use = upstream.Credential.Begin(key);
        _waits = !Options.Connections.Http2 && upstream.Connections.IsFull;
        upstream.Connections.BeginAttempt();
        _timer = AttemptTimers.Rent(Positive(Bound), time);
        try
        {
            using var request = Request(upstream, key);
            try
            {
                if (request is null)
                {
                    result = AttemptResult.Failed(AttemptOutcome.NothingWritten, ProxyError.CredentialUnavailable, mayRepeat: false);
                }
                else
                {
                    _answer = FinalOrBroken(await upstream.SendAsync(request, _timer.Token));
                    var reading = ReadAsync(upstream, _answer, _timer.Token);
                    if (!reading.IsCompleted)
                    {
                        // The headers are here in time. What is held whole must also come before the caller's time is over.
                        _timer.CancelAfter(Positive(Shorter(Options.Timeouts.BodyIdle, send.Message.Deadline.Left)));
                    }

                    result = Judge(upstream, key, _answer, await reading);
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException || (e is InvalidDataException && _answer is not null))
            {
                result = Failure(e);
            }

            RecordOutcome(upstream, key, result, time.GetElapsedTime(start));
            if (reports)
            {
                await send.Message.Plan.Pipeline.ReportAsync(result);
            }

            isWaited = TryEnd();
        }
        catch (Exception e) when (TryEnd())
        {
            // A defect: it is whose who waits.
            _told.SetException(e);
            throw;
        }
        finally
        {
            // Does nothing where the outcome was recorded: a defect before that must not keep the permits.
            send.Permits.End(Started, null, RateLimiting.RefusalScope.None);
            use.End();
            upstream.Connections.EndAttempt();
            body.Dispose();

            // A caller that left may still be about to cancel it: then it is nobody else's.
            AttemptTimers.Return(_timer, isWaited);
        }

        if (isWaited)
        {
            _told.SetResult(result);
        }

        return result;
    }

    private bool TryEnd() => Interlocked.CompareExchange(ref _state, Ended, Open) == Open;

    private void RecordOutcome(Upstream upstream, SelectedCredential key, AttemptResult result, TimeSpan duration)
    {
        if (result.Status is not null)
        {
            if (result.Outcome == AttemptOutcome.CredentialRejected)
            {
                upstream.Credential.Rejected(key);
            }
            else
            {
                upstream.Credential.Accepted(key);
            }
        }

        if (result.Response is { } answer)
        {
            Scrubbed(Scrubber.ScrubHead(answer, key.Secret));
            if (ResponseReader.MayHaveTrailers(answer))
            {
                Scrubbed(Scrubber.ScrubHeaders(answer.TrailingHeaders, key.Secret));
            }
        }

        metrics.Attempted(upstream.Name, send.Attempts, result.Outcome, duration.TotalSeconds);
        metrics.Hinted(upstream.Name, result.Hint);
        send.RecordOutcome(result, Started);
        send.Permits.End(Started, result.Status is null ? null : result.Hint, RefusalOf(result));
    }

    private static RefusalScope RefusalOf(AttemptResult result) => result.Outcome switch
    {
        AttemptOutcome.ThrottledUnprocessed when result.Meaning == Meaning.RecipientThrottled => RefusalScope.Recipient,
        AttemptOutcome.ThrottledUnprocessed or AttemptOutcome.Unavailable => RefusalScope.Plan,
        AttemptOutcome.Throttled => RefusalScope.Status,
        _ => RefusalScope.None,
    };

    // The only attempt there will be needs to leave no time for others.
    private TimeSpan Bound => send.Message.Streamed is null && Options.Timeouts.Attempt < send.Message.Deadline.Left
        ? Options.Timeouts.Attempt
        : send.Message.Deadline.Left;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

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

    private static TimeSpan Positive(TimeSpan left) => left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1);

    private static bool IsAbsent(OutboundMessage message, BodyInsertion insertion) =>
        message.Body.Length == 0 && insertion.Insert.IsEmpty
        && (message.Method == HttpMethod.Get || message.Method == HttpMethod.Head || message.Method == HttpMethod.Delete || message.Method == HttpMethod.Options);

    private HttpRequestMessage? Request(Upstream upstream, SelectedCredential key)
    {
        var message = send.Message;
        OnceContent content = message.Streamed is { } streamed ? new StreamedBodyContent(streamed) : new ReplayContent(message.Body, send.Splice) { IsAbsent = IsAbsent(message, send.Splice) };
        _content = content;
        var request = new HttpRequestMessage(message.Method, upstream.UriOf(message.PathAndQuery))
        {
            Content = content,
            Version = upstream.Options.Connections.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        for (var i = 0; i < message.Headers.Count; i++)
        {
            var (name, value) = message.Headers[i];
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        if (message.IdempotencyKey.Value.Length > 0 && message.Carrier.Kind == CarrierKind.Header)
        {
            request.Headers.TryAddWithoutValidation(message.Carrier.Name, message.IdempotencyKey.Value);
        }

        return upstream.Credential.Inject(request, key) ? request : null;
    }

    private ValueTask<byte[]?> ReadAsync(Upstream upstream, HttpResponseMessage answer, CancellationToken cancellation)
    {
        if (ResponseReader.IsBodiless(send.Message.Method, answer))
        {
            return new([]);
        }

        ResponseFraming.Normalize(answer);
        if (ResponseDecoding.Decode(answer) is { } decoded)
        {
            metrics.Encoded(upstream.Name, decoded);
        }

        return ResponseReader.ReadAsync(answer, cancellation);
    }

    private AttemptResult Judge(Upstream upstream, SelectedCredential key, HttpResponseMessage answer, byte[]? body)
    {
        if (body is null)
        {
            StreamOn(answer, key);
        }
        else
        {
            Scrubbed(Scrubber.Scrub(body, key.Secret));
        }

        Func<string, string?> header = Header;
        var (meaning, byRule) = Classifier.Judge(Options.Classify, (int)answer.StatusCode, header, body);
        return new AttemptResult
        {
            Outcome = AttemptTable.Of(meaning, byRule, (int)answer.StatusCode),
            Status = (int)answer.StatusCode,
            Response = answer,
            Body = body,
            IsBuffered = body is not null,
            Meaning = meaning,
            Hint = RateHint(answer, header),
        };
    }

    private string? Header(string name) => _answer!.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    private void StreamOn(HttpResponseMessage answer, SelectedCredential key) =>
        answer.Content = new StreamedContent(answer.Content, s => Streamed(s, answer, key));

    private AttemptResult Failure(Exception exception)
    {
        if (_answer is not null)
        {
            return BrokenOff(_answer);
        }

        if (send.Message.Streamed?.Fault is { } fault)
        {
            return AttemptResult.Failed(AttemptOutcome.BodyBroke, fault);
        }

        if (_content is { RepeatEnded: true })
        {
            return AttemptResult.Failed(AttemptOutcome.NothingWritten, ProxyError.UpstreamRefused);
        }

        if (Started)
        {
            return exception is OperationCanceledException
                ? AttemptResult.Failed(AttemptOutcome.Broke, ProxyError.UpstreamTimedOut)
                : AttemptResult.Failed(AttemptOutcome.Broke, ProxyError.UpstreamBroken);
        }

        if (exception is HttpRequestException { InnerException: AddressRefusedException })
        {
            return AttemptResult.Failed(AttemptOutcome.NothingWritten, ProxyError.UpstreamAddressRefused, mayRepeat: false);
        }

        return exception is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }
            ? AttemptResult.Failed(AttemptOutcome.NothingWritten, ProxyError.UpstreamTlsFailed, mayRepeat: false)
            : AttemptResult.Failed(AttemptOutcome.NothingWritten, _waits && _timer!.IsCancellationRequested ? ProxyError.UpstreamBusy : ProxyError.UpstreamUnreachable);
    }

    // The status came and stands; only what the body would have added is lost.
    private AttemptResult BrokenOff(HttpResponseMessage response)
    {
        using (response)
        {
            Func<string, string?> header = Header;
            var status = (int)response.StatusCode;
            var (meaning, byRule) = Classifier.Judge(Options.Classify, status, header, default);
            return new AttemptResult
            {
                Outcome = AttemptTable.OfBroken(meaning, byRule, status, Classifier.MeaningsByBody(Options.Classify, status)),
                Error = ProxyError.AnswerIncomplete,
                Status = status,
                Hint = RateHint(response, header),
            };
        }
    }

    private RateHint RateHint(HttpResponseMessage response, Func<string, string?> header) =>
        RateHeaders.AreIn(response.Headers.NonValidated, Options.RateHeaders) ? RateHeaders.Read(header, Options.RateHeaders, time.GetUtcNow()) : default;

    private ResponseBodyStream Streamed(Stream body, HttpResponseMessage answer, SelectedCredential key)
    {
        var upstream = send.Message.Plan.Pipeline.Upstream.Name;
        return new ResponseBodyStream(Scrubber.Through(body, key.Secret, Scrubbed), Options.Timeouts.BodyIdle, time, end =>
        {
            metrics.Streamed(upstream, end);
            if (end == ResponseBodyEnd.Whole)
            {
                Scrubbed(Scrubber.ScrubHeaders(answer.TrailingHeaders, key.Secret));
            }
        });
    }

    private void Scrubbed(int found)
    {
        if (found > 0)
        {
            metrics.Scrubbed(send.Message.Plan.Pipeline.Upstream.Name, found);
        }
    }
}
