using SendProxy.Outbox.Messages;
using SendProxy.Queueing;
using SendProxy.Tests.Tidy;

namespace SendProxy.Tests.Outbox;

public class OutboxTransitionsTests
{
    [Fact]
    public void Page_PrintsTheTableOfTransitions()
    {
        var page = SourceTree.Read("docs/OUTBOX.md");
        var rows = OutboxTransitions.All.Select(t => $"| {(t.From is { } from ? $"`{from.Word()}`" : "-")} | {t.When} | `{t.To.Word()}` |").ToArray();
        var table = string.Join('\n', ["| from | when | to |", "|---|---|---|", .. rows]);

        Assert.True(page.Contains(table + "\n", StringComparison.Ordinal), $"docs/OUTBOX.md lacks this table:\n{table}");
    }

    [Fact]
    public void All_IsWithoutDoubles_AndNothingLeavesSentOrDiscarded()
    {
        Assert.Equal(OutboxTransitions.All.Count, OutboxTransitions.All.DistinctBy(t => (t.From, t.To)).Count());
        Assert.DoesNotContain(OutboxTransitions.All, t => t.From is OutboxState.Sent or OutboxState.Discarded);
        Assert.All(Enum.GetValues<OutboxState>(), state => Assert.Contains(OutboxTransitions.All, t => t.To == state));
    }

    [Fact]
    public void States_OfTheQueue_AreOneToOne()
    {
        Assert.All(Enum.GetValues<ItemState>(), state => Assert.Equal(state, OutboxStates.Of(state).Stored()));
        Assert.All(Enum.GetValues<OutboxState>(), state => Assert.Equal(state, OutboxStates.Parse(state.Word())));
        Assert.All(Enum.GetValues<ItemState>(), state => Assert.Equal(state.IsFinished(), OutboxStates.Of(state).IsFinished()));
        Assert.Null(OutboxStates.Parse("gone"));
    }
}
