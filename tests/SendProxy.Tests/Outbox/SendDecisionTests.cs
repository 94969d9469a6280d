using System.Net;
using SendProxy.Errors;
using SendProxy.Outbox.Worker;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Outbox;

public class SendDecisionTests
{
    // What happened; then the step where the vendor deduplicates, and where it does not; then what it tells of the vendor.
    public static TheoryData<string, int, int, int, int, int> Cases => new()
    {
        { "success", (int)AttemptOutcome.Final, (int)Sent.Yes, (int)NextStep.Sent, (int)NextStep.Sent, (int)UpstreamHealth.Works },
        { "refused", (int)AttemptOutcome.Rejected, (int)Sent.No, (int)NextStep.Failed, (int)NextStep.Failed, (int)UpstreamHealth.Works },
        { "undecided", (int)AttemptOutcome.Undecided, (int)Sent.Maybe, (int)NextStep.Unknown, (int)NextStep.Unknown, (int)UpstreamHealth.Works },
        { "upstream_failed", (int)AttemptOutcome.Failed, (int)Sent.Maybe, (int)NextStep.Retry, (int)NextStep.Unknown, (int)UpstreamHealth.Fails },
        { "throttled", (int)AttemptOutcome.ThrottledUnprocessed, (int)Sent.No, (int)NextStep.Retry, (int)NextStep.Retry, (int)UpstreamHealth.Untried },
        { "throttled", (int)AttemptOutcome.Throttled, (int)Sent.Maybe, (int)NextStep.Retry, (int)NextStep.Unknown, (int)UpstreamHealth.Untried },
        { "refused after a lost attempt", (int)AttemptOutcome.Rejected, (int)Sent.Maybe, (int)NextStep.Retry, (int)NextStep.Unknown, (int)UpstreamHealth.Works },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Of_Response_GivesTheStep(string what, int outcome, int sent, int keyed, int @unsafe, int health)
    {
        using var response = new HttpResponseMessage((AttemptOutcome)outcome == AttemptOutcome.Final ? HttpStatusCode.Accepted : HttpStatusCode.BadRequest);
        var ended = Ended((AttemptOutcome)outcome, (Sent)sent, response: response);

        var deduplicated = SendDecision.Of(ended, Repeatability.Keyed, wasAttempting: false);
        var other = SendDecision.Of(ended, Repeatability.Unsafe, wasAttempting: false);

        Assert.Equal(((NextStep)keyed, (NextStep)@unsafe, (UpstreamHealth)health), (deduplicated.Next, other.Next, deduplicated.Health));
        Assert.StartsWith(deduplicated.Reason ?? "success", what, StringComparison.Ordinal);
        Assert.Equal((Sent)sent != Sent.No && deduplicated.Next is NextStep.Retry or NextStep.Unknown, deduplicated.KeepAttempting);
    }

    [Theory]
    [InlineData((int)Meaning.Quota, "quota_exceeded")]
    [InlineData((int)Meaning.SessionDown, "session_down")]
    public void Of_WhatWaitingHelps_IsTriedAgain(int meaning, string reason)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.UnprocessableEntity);

        var decision = SendDecision.Of(Ended(AttemptOutcome.Rejected, Sent.No, (Meaning)meaning, response), Repeatability.Unsafe, wasAttempting: false);

        Assert.Equal((NextStep.Retry, reason, false), (decision.Next, decision.Reason, decision.KeepAttempting));
    }

    // Asked once more under the same key, a vendor that deduplicates tells the truth.
    [Fact]
    public void Of_RefusalOfARepetition_IsTheWholeStory()
    {
        using var response = new HttpResponseMessage(HttpStatusCode.BadRequest);
        var again = Ended(AttemptOutcome.Rejected, Sent.Maybe, response: response);

        Assert.Equal(NextStep.Failed, SendDecision.Of(again, Repeatability.Keyed, wasAttempting: true).Next);
        Assert.Equal(NextStep.Unknown, SendDecision.Of(again, Repeatability.Unsafe, wasAttempting: true).Next);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_RefusalBeforeAnyAttempt_ChangesNothingOfWhatIsKnown(bool wasAttempting)
    {
        foreach (var error in new[] { ProxyError.RateLimited, ProxyError.UpstreamBreakerOpen, ProxyError.IdempotencyStoreUnavailable, ProxyError.IdempotencyKeyInUse })
        {
            var decision = SendDecision.Of(Refused(error, 0, Sent.Maybe), Repeatability.Unsafe, wasAttempting);

            Assert.Equal((NextStep.Retry, wasAttempting), (decision.Next, decision.KeepAttempting));
        }
    }

    [Fact]
    public void Of_AnswerBrokeOff_IsSentOnlyWhereNobodyCanAskAgain()
    {
        var broke = Refused(ProxyError.AnswerIncomplete, 1, Sent.Yes);

        Assert.Equal((NextStep.Retry, true), (SendDecision.Of(broke, Repeatability.Keyed, false).Next, SendDecision.Of(broke, Repeatability.Keyed, false).KeepAttempting));
        Assert.Equal((NextStep.Sent, "answer_incomplete"), (SendDecision.Of(broke, Repeatability.Unsafe, false).Next, SendDecision.Of(broke, Repeatability.Unsafe, false).Reason));
    }

    [Fact]
    public void Of_UnknownOutcome_IsForAPerson() =>
        Assert.Equal(NextStep.Unknown, SendDecision.Of(Refused(ProxyError.OutcomeUnknown, 0, Sent.Maybe), Repeatability.Keyed, wasAttempting: true).Next);

    private static SendOutcome Ended(AttemptOutcome last, Sent sent, Meaning? meaning = null, HttpResponseMessage? response = null) => new()
    {
        Response = response,
        Attempts = 1,
        Queued = TimeSpan.Zero,
        Sent = sent,
        LastOutcome = last,
        Meaning = meaning,
    };

    private static SendOutcome Refused(ProxyError error, int attempts, Sent sent) => new()
    {
        Refusal = new Refusal(error, sent, ""),
        Attempts = attempts,
        Queued = TimeSpan.Zero,
        Sent = sent,
        LastOutcome = attempts > 0 ? AttemptOutcome.ResponseBroke : null,
    };
}
