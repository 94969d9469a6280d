using System.Net;
using System.Net.Http.Headers;
using SendProxy.Errors;
using SendProxy.Upstreams;

namespace SendProxy.Sending.Attempts;

/// <summary>
/// One attempt: request out, answer in, judged and scrubbed. Ends by itself by its timeout, whether or not anyone waits.
/// Never throws for what a network or a vendor can do.
/// </summary>
internal sealed class Exchange(SendRun run, SendingMetrics metrics, TimeProvider time)
{
    private OnceContent? _content;

    private UpstreamOptions Options => run.Message.Plan.Line.Upstream.Options;

    /// <summary>True once the request may have left this process.</summary>
    public bool Started => _content is { Begun: true, RepeatEnded: false };

    /// <param name="abandon">Ends an attempt whose body was not begun yet.</param>
    public async Task<AttemptResult> RunAsync(CancellationToken abandon)
    {
        var upstream = run.Message.Plan.Line.Upstream;
        var key = run.Key;
        using var body = run.Message.Body.Hold();
        var use = upstream.Credential.Begin(key);
        try
        {
            return await RunAsync(upstream, key, abandon);
        }
        finally
        {
            use.End();
        }
    }

    private async Task<AttemptResult> RunAsync(Upstream upstream, KeyChoice key, CancellationToken abandon)
    {
        var start = time.GetTimestamp();
        using var timeout = new CancellationTokenSource(Positive(Bound), time);
        using var either = abandon.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, abandon) : null;
        var result = await SendAsync(upstream, key, either ?? timeout, timeout);
        if (result.Answer is { } answer)
        {
            if (result.Meaning == Meaning.KeyRejected)
            {
                upstream.Credential.Rejected(key);
            }
            else
            {
                upstream.Credential.Accepted(key);
            }

            ScrubHeaders(answer.Headers, key);
            ScrubHeaders(answer.TrailingHeaders, key);
        }

        metrics.Attempted(upstream.Name, run.Attempts, result.Happened, time.GetElapsedTime(start).TotalSeconds);
        metrics.Hinted(upstream.Name, result.Hint);
        run.Note(result, Started);
        run.Permits.End(Started, result.Answer is null ? null : result.Hint, result.Happened is Happened.Throttled or Happened.ThrottledUnprocessed);
        return result;
    }

    // The only attempt there will be needs to leave no time for others.
    private TimeSpan Bound => run.Message.Streamed is null && Options.Timeouts.Attempt < run.Message.Deadline.Left
        ? Options.Timeouts.Attempt
        : run.Message.Deadline.Left;

    private static TimeSpan Positive(TimeSpan left) => left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1);

    private async Task<AttemptResult> SendAsync(Upstream upstream, KeyChoice key, CancellationTokenSource cancellation, CancellationTokenSource timeout)
    {
        using var request = Request(upstream, key);
        if (request is null)
        {
            return AttemptResult.Failed(Happened.NothingWritten, ProxyError.CredentialUnavailable, mayRepeat: false);
        }

        HttpResponseMessage? answer = null;
        try
        {
            answer = await upstream.SendAsync(request, cancellation.Token);
            // The headers are here in time; from now on only silence ends the attempt.
            timeout.CancelAfter(Options.Timeouts.BodyIdle);
            return await JudgeAsync(upstream, key, answer, timeout.Token);
        }
        catch (Exception e) when (answer is not null && e is HttpRequestException or IOException or InvalidDataException or OperationCanceledException)
        {
            answer!.Dispose();
            return AttemptResult.Failed(Happened.AnswerBroke, ProxyError.AnswerIncomplete);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return Failure(e);
        }
    }

    private HttpRequestMessage? Request(Upstream upstream, KeyChoice key)
    {
        var message = run.Message;
        OnceContent content = message.Streamed is { } streamed ? new StreamedBodyContent(streamed) : new ReplayContent(message.Body, run.Splice);
        _content = content;
        var request = new HttpRequestMessage(message.Method, new Uri(upstream.Options.Address, message.PathAndQuery))
        {
            Content = content,
            Version = upstream.Options.Connections.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        foreach (var (name, value) in message.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        if (message.Key.Value.Length > 0 && Options.Idempotency.Kind == CarrierKind.Header)
        {
            request.Headers.TryAddWithoutValidation(Options.Idempotency.Name, message.Key.Value);
        }

        return upstream.Credential.Inject(request, key) ? request : null;
    }

    private async Task<AttemptResult> JudgeAsync(Upstream upstream, KeyChoice key, HttpResponseMessage answer, CancellationToken cancellation)
    {
        var isBodiless = run.Message.Method == HttpMethod.Head || answer.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified;
        if (!isBodiless && AnswerCoding.Decode(answer) is { } decoded)
        {
            metrics.Encoded(upstream.Name, decoded);
        }

        var body = isBodiless ? [] : await AnswerReader.ReadAsync(answer, cancellation);
        if (body is not null)
        {
            var found = Scrubber.Scrub(body, key.Secret);
            if (found > 0)
            {
                metrics.Scrubbed(upstream.Name, found);
            }

            answer.Content = new AnswerContent(body, answer.Content, isBodiless);
        }
        else
        {
            answer.Content = new StreamedContent(answer.Content, s => Streamed(s, answer, key));
        }

        string? Header(string name) => answer.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
        var status = (int)answer.StatusCode;
        var (meaning, byRule) = Classifier.Judge(Options.Classify, status, Header, body);
        return new AttemptResult
        {
            Happened = AttemptTable.Of(meaning, byRule),
            Answer = answer,
            Body = body,
            IsBuffered = body is not null,
            Meaning = meaning,
            Hint = RateHeaders.Read(Header, Options.RateHeaders, time.GetUtcNow()),
        };
    }

    private AttemptResult Failure(Exception exception)
    {
        if (run.Message.Streamed?.Fault is { } fault)
        {
            return AttemptResult.Failed(Happened.BodyBroke, fault);
        }

        if (_content is { RepeatEnded: true })
        {
            return AttemptResult.Failed(Happened.NothingWritten, ProxyError.UpstreamRefused);
        }

        if (Started)
        {
            return exception is OperationCanceledException
                ? AttemptResult.Failed(Happened.Broke, ProxyError.UpstreamTimedOut)
                : AttemptResult.Failed(Happened.Broke, ProxyError.UpstreamBroken);
        }

        if (exception is HttpRequestException { InnerException: AddressRefusedException })
        {
            return AttemptResult.Failed(Happened.NothingWritten, ProxyError.UpstreamAddressRefused, mayRepeat: false);
        }

        return exception is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }
            ? AttemptResult.Failed(Happened.NothingWritten, ProxyError.UpstreamTlsFailed, mayRepeat: false)
            : AttemptResult.Failed(Happened.NothingWritten, ProxyError.UpstreamUnreachable);
    }

    private AnswerStream Streamed(Stream body, HttpResponseMessage answer, KeyChoice key)
    {
        var upstream = run.Message.Plan.Line.Upstream.Name;
        return new AnswerStream(Scrubber.Through(body, key.Secret, times => metrics.Scrubbed(upstream, times)), Options.Timeouts.BodyIdle, time, end =>
        {
            metrics.Streamed(upstream, end);
            if (end == AnswerEnd.Whole)
            {
                ScrubHeaders(answer.TrailingHeaders, key);
            }
        });
    }

    private void ScrubHeaders(HttpResponseHeaders headers, KeyChoice key)
    {
        List<(string Name, string Value)>? dirty = null;
        foreach (var (name, values) in headers.NonValidated)
        {
            var text = values.ToString();
            if (!ReferenceEquals(Scrubber.Scrub(text, key.Secret), text))
            {
                (dirty ??= []).Add((name, Scrubber.Scrub(text, key.Secret)));
            }
        }

        foreach (var (name, value) in dirty ?? [])
        {
            headers.Remove(name);
            headers.TryAddWithoutValidation(name, value);
            metrics.Scrubbed(run.Message.Plan.Line.Upstream.Name, 1);
        }
    }
}
