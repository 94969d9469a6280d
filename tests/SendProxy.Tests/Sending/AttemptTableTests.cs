using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Upstreams;

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
    [InlineData(AttemptOutcome.AnswerBroke, Verdict.Retry, Verdict.Retry, Verdict.Stop)]
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
    [InlineData(Meaning.Throttled, true, AttemptOutcome.ThrottledUnprocessed)]
    [InlineData(Meaning.Throttled, false, AttemptOutcome.Throttled)]
    [InlineData(Meaning.Quota, true, AttemptOutcome.Final)]
    [InlineData(Meaning.SessionDown, true, AttemptOutcome.Final)]
    [InlineData(Meaning.Success, false, AttemptOutcome.Final)]
    public void Of_Meaning_SaysWhatHappened(object meaning, bool byRule, object expected) =>
        Assert.Equal((AttemptOutcome)expected, AttemptTable.Of((Meaning)meaning, byRule));
}
