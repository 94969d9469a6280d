using SendProxy.Errors;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Tests.Sending;

// What the outbox needs of a sender that a caller at the port does not. Nobody listens at the upstream's address.
public sealed class BeforeAttemptTests : IAsyncDisposable
{
    private readonly SendingFixture _fixture = new("retry: { attempts: 3, baseDelay: 1ms, maxDelay: 1ms }");

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task BeforeAttempt_Refuses_NothingIsBegun()
    {
        var outcome = await SendAsync(told: _ => Refusal.NotSent(ProxyError.JournalUnavailable, "no"));

        Assert.Equal((ProxyError.JournalUnavailable, Sent.No, 0, (AttemptOutcome?)null), (outcome.Refusal!.Error, outcome.Sent, outcome.Attempts, outcome.LastOutcome));
    }

    [Fact]
    public async Task BeforeAttempt_ThreeAttempts_IsToldOnceWithTheCredential()
    {
        var told = new List<string>();

        var outcome = await SendAsync(told: fingerprint =>
        {
            told.Add(fingerprint);
            return null;
        });

        Assert.Equal((3, Sent.No, AttemptOutcome.NothingWritten), (outcome.Attempts, outcome.Sent, outcome.LastOutcome));
        Assert.Equal([outcome.KeyFingerprint!], told);
    }

    [Fact]
    public async Task EarlierAttempt_NothingWrittenNow_MayStillHaveBeenSent()
    {
        var outcome = await SendAsync(earlier: TimeProvider.System.GetUtcNow().AddMinutes(-1));

        Assert.Equal((ProxyError.UpstreamUnreachable, Sent.Maybe), (outcome.Refusal!.Error, outcome.Sent));
    }

    [Fact]
    public async Task EarlierAttempt_ItsCredentialIsGone_IsUnknown()
    {
        var outcome = await SendAsync(earlier: TimeProvider.System.GetUtcNow(), fingerprint: "00000000");

        Assert.Equal((ProxyError.OutcomeUnknown, Sent.Maybe, 0), (outcome.Refusal!.Error, outcome.Sent, outcome.Attempts));
    }

    private Task<SendOutcome> SendAsync(Func<string, Refusal?>? told = null, DateTimeOffset? earlier = null, string? fingerprint = null)
    {
        var message = _fixture.Message();
        return _fixture.Get<ISender>().SendAsync(
            new OutboundMessage
            {
                RequestId = message.RequestId,
                Plan = message.Plan,
                Method = message.Method,
                PathAndQuery = message.PathAndQuery,
                Headers = message.Headers,
                Body = message.Body,
                IdempotencyKey = new IdempotencyKey("key-1", IdempotencyKeyOrigin.Generated),
                Lane = message.Lane,
                Deadline = message.Deadline,
                EarlierAttempt = earlier,
                CredentialFingerprint = fingerprint,
                BeforeAttempt = told is null ? null : key => ValueTask.FromResult(told(key)),
            },
            TestContext.Current.CancellationToken);
    }
}
