using CsCheck;
using SendProxy.Overload;

namespace SendProxy.Tests.Overload;

public class MemoryBudgetTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void Large_UpToThreeQuarters_AndTheRestIsForSmallOnes()
    {
        var budget = new MemoryBudget(8 * MiB, isShared: false);

        Assert.True(budget.TryReserve(MemoryUse.Webhook, 6 * MiB));
        Assert.False(budget.TryReserve(MemoryUse.Webhook, MiB));
        Assert.True(budget.TryReserve(MemoryUse.Webhook, MemoryBudget.SmallBytes));
        Assert.False(budget.TryReserve(MemoryUse.Webhook, 1, held: MemoryBudget.SmallBytes));
        Assert.Equal((2, (6 * MiB) + MemoryBudget.SmallBytes), (budget.Refusals(MemoryUse.Webhook), budget.Total));
    }

    [Fact]
    public void Large_OfOneListenerOfTwo_LeavesHalfToTheOther()
    {
        var budget = new MemoryBudget(8 * MiB, isShared: true);

        Assert.True(budget.TryReserve(MemoryUse.Webhook, 4 * MiB));
        Assert.False(budget.TryReserve(MemoryUse.Webhook, MiB));
        Assert.True(budget.TryReserve(MemoryUse.RequestBody, 2 * MiB));
    }

    [Fact]
    public void Charge_BeyondTheBudget_KeepsNewHoldersOutUntilItIsReleased()
    {
        var budget = new MemoryBudget(MiB, isShared: false);
        budget.Charge(MemoryUse.ResponseBody, 2 * MiB);

        Assert.False(budget.TryReserve(MemoryUse.RequestBody, 1));
        budget.Release(MemoryUse.ResponseBody, 2 * MiB);
        Assert.True(budget.TryReserve(MemoryUse.RequestBody, 1));
    }

    [Fact]
    public void AnySequence_OfReservations_EndsAtZeroAndNeverExceedsTheBudget() =>
        Gen.Select(Gen.Int[0, 4], Gen.Long[1, 3 * MiB]).List[1, 200].Sample(steps =>
        {
            var budget = new MemoryBudget(8 * MiB, isShared: true);
            var held = new List<(MemoryUse Use, long Bytes)>();
            foreach (var (use, bytes) in steps)
            {
                if (budget.TryReserve((MemoryUse)use, bytes))
                {
                    held.Add(((MemoryUse)use, bytes));
                }

                Assert.Equal(held.Sum(h => h.Bytes), budget.Total);
                Assert.True(budget.Total <= budget.Bytes);
            }

            held.ForEach(h => budget.Release(h.Use, h.Bytes));
            Assert.Equal(0, budget.Total);
            Assert.All(Enum.GetValues<MemoryUse>(), use => Assert.Equal(0, budget.Reserved(use)));
        });

    [Theory]
    [InlineData(256, 192, 102)]
    [InlineData(192, 144, 76)]
    [InlineData(64, 48, 25)]
    [InlineData(24_000, 24_000, 256)]
    [InlineData(256, 40, 22)]
    public void Defaults_FollowTheSmallerOfTheLimitAndTheHeap(long limit, long heap, long expected)
    {
        var memory = new MemoryLimit(limit * MiB, heap * MiB, true);

        Assert.Equal(expected, new ProcessOptions(null, null, false).BudgetOf(memory) / MiB);
        Assert.True(OverloadDefaults.BudgetOf(memory) < OverloadDefaults.SafeBudgetOf(memory) || heap < 64);
    }
}
