using SendProxy.Egress.Routing;
using SendProxy.Errors;
using SendProxy.Outbox.Handover;
using SendProxy.Outbox.Intake;
using SendProxy.Outbox.Messages;

namespace SendProxy.Egress;

/// <summary>When a request becomes a message of the outbox.</summary>
internal enum StoreWhen
{
    /// <summary>At once.</summary>
    Now,

    /// <summary>When the answer has not come within the time that the caller waits.</summary>
    AfterWait,

    /// <summary>When it met a full limit or an outage.</summary>
    WhenBusy,

    /// <summary>Never: the request asks about messages of the outbox.</summary>
    Never,
}

/// <summary>What a request has to do with the outbox.</summary>
/// <param name="IsOptional">The caller prefers it, and nothing demands it.</param>
internal sealed record StoreRequest(StoreWhen When, Preferences Preferences, MessageTerms Terms, bool IsOptional)
{
    /// <summary>Who has the message, where it is sent at once and may be handed over.</summary>
    public AttemptGate? Gate { get; init; }

    public static readonly StoreRequest OfEndpoint = new(StoreWhen.Never, default, default, false);

    /// <returns>Null where it is sent at once; a refusal where its terms cannot be met.</returns>
    public static (StoreRequest? Request, Refusal? Refusal) Of(HttpRequest request, EgressRoute route, OutboxOptions? outbox, DateTimeOffset now)
    {
        var preferences = Preferences.Of(request);
        var delayed = request.Headers.ContainsKey(MessageTerms.NotBeforeHeader);
        var (always, whenBusy) = (route.Options.Outbox.Always, route.Options.Outbox.WhenBusy);
        if (!preferences.RespondAsync && !delayed && !always && !whenBusy)
        {
            return (null, null);
        }

        if (outbox is null || !IsSend(request))
        {
            // If it were sent at once, it would be too early.
            return delayed
                ? (null, Refusal.NotSent(ProxyError.MessageTermsInvalid, $"{MessageTerms.NotBeforeHeader} needs an outbox (a journal, and outbox.enabled) and a method that sends."))
                : (null, null);
        }

        var (terms, refusal) = MessageTerms.Of(request.Headers, now);
        var wait = preferences.Wait < outbox.MaxWait ? preferences.Wait : preferences.Wait is null ? null : outbox.MaxWait;
        var when = always || terms.NotBefore is not null ? StoreWhen.Now
            : preferences.RespondAsync ? (wait > TimeSpan.Zero ? StoreWhen.AfterWait : StoreWhen.Now)
            : delayed ? StoreWhen.Now
            : StoreWhen.WhenBusy;
        var gate = when == StoreWhen.Now ? null : new AttemptGate();
        return refusal is null
            ? (new StoreRequest(when, preferences with { Wait = when == StoreWhen.AfterWait ? wait : null }, terms, !always && !delayed) { Gate = gate }, null)
            : (null, refusal);
    }

    private static bool IsSend(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) || HttpMethods.IsPut(request.Method) || HttpMethods.IsPatch(request.Method) || HttpMethods.IsDelete(request.Method);
}
