using CsCheck;

namespace SendProxy.Tests.Queueing;

public abstract partial class MessageQueueContract
{
    private const int ModelMaxItems = 12;

    [Fact]
    public async Task RandomOperations_AgreeWithTheModel()
    {
        // On failure CsCheck prints the seed and the shortest list of steps it found. CsCheck_Iter sets how many runs.
        var output = TestContext.Current.TestOutputHelper!;
        await ModelStep.Gen.List[1, 60].SampleAsync(
            async steps =>
            {
                await using var test = await OpenAsync(new QueueBounds(ModelMaxItems));
                var run = new ModelRun(test, ModelMaxItems);
                foreach (var step in steps)
                {
                    await run.TakeAsync(step, CancellationToken.None);
                }
            },
            output.WriteLine, print: steps => string.Join('\n', steps));
    }
}
