using SendProxy.Outbox.Messages;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Tests.Outbox;

public class OutboxEnvelopeTests
{
    [Fact]
    public void Read_WhatWasWritten_IsTheSame()
    {
        var envelope = new OutboxEnvelope
        {
            Method = "POST",
            Target = "/v1/sms/send?x=%20",
            Upstream = "sendapi",
            KeyOrigin = IdempotencyKeyOrigin.Derived,
            Fingerprint = [1, 2, 3],
            Lane = "bulk",
            Reference = "order \"1\"",
            NotBefore = new DateTimeOffset(2026, 11, 26, 8, 0, 0, TimeSpan.Zero),
            Headers = [KeyValuePair.Create("Content-Type", "application/json"), KeyValuePair.Create("X-One", "a"), KeyValuePair.Create("X-One", "b")],
        };

        var read = OutboxEnvelope.Read(envelope.ToBytes())!;

        Assert.Equal(envelope with { Headers = [], Fingerprint = [] }, read with { Headers = [], Fingerprint = [] }, new WithoutLists());
        Assert.Equal(envelope.Headers, read.Headers);
        Assert.Equal(envelope.Fingerprint, read.Fingerprint);
        Assert.Equal("application/json", read.Header("content-type"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"method":1}""")]
    public void Read_SomethingElse_IsNull(string json) => Assert.Null(OutboxEnvelope.Read(System.Text.Encoding.UTF8.GetBytes(json)));

    private sealed class WithoutLists : IEqualityComparer<OutboxEnvelope>
    {
        public bool Equals(OutboxEnvelope? x, OutboxEnvelope? y) => x!.ToBytes().Span.SequenceEqual(y!.ToBytes().Span);

        public int GetHashCode(OutboxEnvelope obj) => 0;
    }
}
