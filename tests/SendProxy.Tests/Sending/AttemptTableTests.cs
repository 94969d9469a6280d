using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Sending;

public class AttemptTableTests
{
    private static readonly AttemptOutcome[] AllOutcomes = Enum.GetValues<AttemptOutcome>();

    // The table of docs/OPERATING.md, row by row: idempotent method, keyed POST, POST without.
    [Theory]
    [InlineData(AttemptOutcome.NothingWritten, Verdict.Retry, Verdict.Retry, Verdict.Retry)]
    [InlineData(AttemptOutcome.ThrottledUnprocessed, Verdict.Retry, Verdict.Retry, Verdict.Retry)]
    [InlineData(AttemptOutcome.Throttled, Verdict.Retry, Verdict.Retry, Verdict.Stop)]
    [InlineData(AttemptOutcome.Failed, Verdict.Retry, Verdict.Retry, Verdict.Stop)]
    [InlineData(AttemptOutcome.Broke, Verdict.Retry, Verdict.Retry, Verdict.Stop)]
    [InlineData(AttemptOutcome.BodyBroke, Verdict.Stop, Verdict.Stop, Verdict.Stop)]
    [InlineData(AttemptOutcome.Unavailable, Verdict.Retry, Verdict.Retry, Verdict.Stop)]
    [InlineData(AttemptOutcome.ResponseBroke, Verdict.Retry, Verdict.Retry, Verdict.Stop)]
    [InlineData(AttemptOutcome.RejectionBroke, Verdict.Retry, Verdict.Retry, Verdict.Retry)]
    [InlineData(AttemptOutcome.Rejected, Verdict.Stop, Verdict.Stop, Verdict.Stop)]
    [InlineData(AttemptOutcome.Undecided, Verdict.Stop, Verdict.Stop, Verdict.Stop)]
    [InlineData(AttemptOutcome.InProgress, Verdict.Stop, Verdict.Retry, Verdict.Stop)]
    [InlineData(AttemptOutcome.CredentialRejected, Verdict.OtherCredential, Verdict.OtherCredential, Verdict.OtherCredential)]
    [InlineData(AttemptOutcome.Final, Verdict.Stop, Verdict.Stop, Verdict.Stop)]
    public void Decide_Row_IsTheDesigns(object outcome, object idempotent, object keyed, object unsafe_)
    {
        Verdict Of(Repeatability r) => AttemptTable.Decide((AttemptOutcome)outcome, r).Verdict;

        Assert.Equal(
            ((Verdict)idempotent, (Verdict)keyed, (Verdict)unsafe_),
            (Of(Repeatability.Idempotent), Of(Repeatability.Keyed), Of(Repeatability.Unsafe)));
    }

    // The promise in one sentence: what may have been done is not repeated where the vendor would do it twice.
    [Fact]
    public void Decide_UnsafeThatMayHaveBeenDone_IsNeverRepeated() => Assert.All(AllOutcomes, outcome =>
    {
        var (verdict, sent) = AttemptTable.Decide(outcome, Repeatability.Unsafe);
        Assert.True(sent == Sent.No || verdict == Verdict.Stop, $"{outcome}: {verdict} although {sent}");
    });

    [Fact]
    public void Page_PrintsTheSameTable()
    {
        var page = Tidy.SourceTree.Read("docs/OPERATING.md");

        Assert.All(AllOutcomes, outcome =>
        {
            string Cell(Repeatability r) => AttemptTable.Decide(outcome, r) is var (v, s) ? $"{v.ToString().ToLowerInvariant()}, {s.Word()}" : "";
            var row = $"| {outcome} | {Cell(Repeatability.Idempotent)} | {Cell(Repeatability.Keyed)} | {Cell(Repeatability.Unsafe)} |";
            Assert.Contains(row, page, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("GET", false, Repeatability.Idempotent)]
    [InlineData("DELETE", false, Repeatability.Idempotent)]
    [InlineData("POST", true, Repeatability.Keyed)]
    [InlineData("POST", false, Repeatability.Unsafe)]
    [InlineData("PATCH", true, Repeatability.Keyed)]
    [InlineData("PATCH", false, Repeatability.Unsafe)]
    public void Of_Method_SaysWhatMakesItSafe(string method, bool deduplicates, object expected) =>
        Assert.Equal((Repeatability)expected, AttemptTable.Of(new HttpMethod(method), deduplicates));

    [Theory]
    [InlineData(Meaning.Throttled, true, 429, AttemptOutcome.ThrottledUnprocessed)]
    [InlineData(Meaning.Throttled, true, 503, AttemptOutcome.ThrottledUnprocessed)]
    [InlineData(Meaning.Throttled, false, 429, AttemptOutcome.Throttled)]
    [InlineData(Meaning.Throttled, false, 503, AttemptOutcome.Unavailable)]
    [InlineData(Meaning.Transient, false, 520, AttemptOutcome.Failed)]
    [InlineData(Meaning.Ambiguous, true, 200, AttemptOutcome.Failed)]
    [InlineData(Meaning.Quota, true, 429, AttemptOutcome.Rejected)]
    [InlineData(Meaning.SessionDown, true, 422, AttemptOutcome.Rejected)]
    [InlineData(Meaning.Permanent, false, 404, AttemptOutcome.Rejected)]
    [InlineData(Meaning.Permanent, false, 409, AttemptOutcome.Undecided)]
    [InlineData(Meaning.Permanent, false, 302, AttemptOutcome.Undecided)]
    [InlineData(Meaning.Permanent, false, 307, AttemptOutcome.Rejected)]
    [InlineData(Meaning.Permanent, false, 501, AttemptOutcome.Rejected)]
    [InlineData(Meaning.Permanent, true, 500, AttemptOutcome.Undecided)]
    [InlineData(Meaning.Permanent, true, 200, AttemptOutcome.Rejected)]
    [InlineData(Meaning.Success, false, 200, AttemptOutcome.Final)]
    public void Of_Meaning_SaysWhatBecameOfTheAttempt(object meaning, bool byRule, int status, object expected) =>
        Assert.Equal((AttemptOutcome)expected, AttemptTable.Of((Meaning)meaning, byRule, status));

    [Theory]
    [InlineData(Meaning.Success, 200, null, AttemptOutcome.ResponseBroke)]
    [InlineData(Meaning.Success, 200, Meaning.Permanent, AttemptOutcome.Failed)]
    [InlineData(Meaning.Success, 200, Meaning.Success, AttemptOutcome.ResponseBroke)]
    [InlineData(Meaning.Permanent, 404, null, AttemptOutcome.RejectionBroke)]
    [InlineData(Meaning.Permanent, 422, Meaning.SessionDown, AttemptOutcome.RejectionBroke)]
    [InlineData(Meaning.Permanent, 404, Meaning.Ambiguous, AttemptOutcome.Failed)]
    [InlineData(Meaning.Permanent, 409, null, AttemptOutcome.Undecided)]
    [InlineData(Meaning.Transient, 503, null, AttemptOutcome.Failed)]
    [InlineData(Meaning.Throttled, 429, Meaning.Quota, AttemptOutcome.Throttled)]
    [InlineData(Meaning.CredentialRejected, 401, null, AttemptOutcome.CredentialRejected)]
    public void OfBroken_StatusDecidesFirst(object meaning, int status, object? byBody, object expected) =>
        Assert.Equal((AttemptOutcome)expected, AttemptTable.OfBroken((Meaning)meaning, byRule: false, status, byBody is null ? [] : [(Meaning)byBody]));
}
