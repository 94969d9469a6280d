using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Upstreams;

namespace SendProxy.Tests.Sending;

public class AttemptTableTests
{
    private static readonly Happened[] AllHappened = Enum.GetValues<Happened>();

    // DESIGN.md 7, row by row: idempotent method, keyed POST, POST without.
    [Theory]
    [InlineData(Happened.NothingWritten, Verdict.Retry, Verdict.Retry, Verdict.Retry)]
    [InlineData(Happened.ThrottledUnprocessed, Verdict.Retry, Verdict.Retry, Verdict.Retry)]
    [InlineData(Happened.Throttled, Verdict.Retry, Verdict.Retry, Verdict.Stop)]
    [InlineData(Happened.Failed, Verdict.Retry, Verdict.Retry, Verdict.Stop)]
    [InlineData(Happened.Broke, Verdict.Retry, Verdict.Retry, Verdict.Stop)]
    [InlineData(Happened.BodyBroke, Verdict.Stop, Verdict.Stop, Verdict.Stop)]
    [InlineData(Happened.AnswerBroke, Verdict.Retry, Verdict.Retry, Verdict.Stop)]
    [InlineData(Happened.InProgress, Verdict.Stop, Verdict.Retry, Verdict.Stop)]
    [InlineData(Happened.KeyRejected, Verdict.OtherKey, Verdict.OtherKey, Verdict.OtherKey)]
    [InlineData(Happened.Final, Verdict.Stop, Verdict.Stop, Verdict.Stop)]
    public void Decide_Row_IsTheDesigns(object happened, object idempotent, object keyed, object unsafe_)
    {
        Verdict Of(Repeatability r) => AttemptTable.Decide((Happened)happened, r).Verdict;

        Assert.Equal(
            ((Verdict)idempotent, (Verdict)keyed, (Verdict)unsafe_),
            (Of(Repeatability.Idempotent), Of(Repeatability.Keyed), Of(Repeatability.Unsafe)));
    }

    // The promise in one sentence: what may have been done is not repeated where the vendor would do it twice.
    [Fact]
    public void Decide_UnsafeThatMayHaveBeenDone_IsNeverRepeated() => Assert.All(AllHappened, happened =>
    {
        var (verdict, sent) = AttemptTable.Decide(happened, Repeatability.Unsafe);
        Assert.True(sent == Sent.No || verdict == Verdict.Stop, $"{happened}: {verdict} although {sent}");
    });

    [Fact]
    public void Page_PrintsTheSameTable()
    {
        var page = Tidy.SourceTree.Read("docs/OPERATING.md");

        Assert.All(AllHappened, happened =>
        {
            string Cell(Repeatability r) => AttemptTable.Decide(happened, r) is var (v, s) ? $"{v.ToString().ToLowerInvariant()}, {s.Word()}" : "";
            var row = $"| {happened} | {Cell(Repeatability.Idempotent)} | {Cell(Repeatability.Keyed)} | {Cell(Repeatability.Unsafe)} |";
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
    [InlineData(Meaning.Throttled, true, Happened.ThrottledUnprocessed)]
    [InlineData(Meaning.Throttled, false, Happened.Throttled)]
    [InlineData(Meaning.Quota, true, Happened.Final)]
    [InlineData(Meaning.SessionDown, true, Happened.Final)]
    [InlineData(Meaning.Success, false, Happened.Final)]
    public void Of_Meaning_SaysWhatHappened(object meaning, bool byRule, object expected) =>
        Assert.Equal((Happened)expected, AttemptTable.Of((Meaning)meaning, byRule));
}
