using CsCheck;
using SendProxy.Queueing;

namespace SendProxy.Tests.Queueing;

/// <summary>One random step; what its numbers choose depends on the kind.</summary>
internal sealed record ModelStep(ModelStepKind Kind, int A, int B, int C, bool D, bool E)
{
    // Enqueue and claim more often than the rest, or there would be nothing to do the rest to.
    private static readonly ModelStepKind[] Kinds =
    [
        ModelStepKind.Enqueue, ModelStepKind.Enqueue, ModelStepKind.Enqueue, ModelStepKind.Claim, ModelStepKind.Claim,
        .. Enum.GetValues<ModelStepKind>(),
    ];

    public static readonly Gen<ModelStep> Gen = CsCheck.Gen.Select(
        CsCheck.Gen.Int[0, Kinds.Length - 1].Select(i => Kinds[i]),
        CsCheck.Gen.Int[0, 11], CsCheck.Gen.Int[0, 5], CsCheck.Gen.Int[0, 2],
        CsCheck.Gen.Bool, CsCheck.Gen.Bool, (kind, a, b, c, d, e) => new ModelStep(kind, a, b, c, d, e));
}

internal enum ModelStepKind
{
    Enqueue,
    Claim,
    ClaimExpired,
    Mark,
    Finish,
    Retry,
    GiveBack,
    Replay,
    Edit,
    Discard,
    Hold,
    Release,
    Advance,
    Restart,
    Sweep,
}

/// <summary>
/// Takes each step in the queue and in the model, and holds their answers and all items against each other.
/// </summary>
internal sealed class ModelRun(QueueUnderTest test, int maxItems)
{
    private const string Name = "outbox";
    private static readonly string[] Groups = ["", "a", "b"];
    private static readonly ItemState[] Ends = [ItemState.Done, ItemState.Dead, ItemState.Unknown, ItemState.Expired];
    private readonly QueueModel _model = new(maxItems, TimeSpan.FromHours(24), TimeSpan.FromDays(7));
    private readonly List<(ModelItem Item, int Token, Lease Lease)> _leases = [];

    private DateTimeOffset Now => test.Time.GetUtcNow();

    private IMessageQueue Queue => test.Queue;

    public async Task TakeAsync(ModelStep step, CancellationToken cancel)
    {
        await (step.Kind switch
        {
            ModelStepKind.Enqueue => EnqueueAsync(step, cancel),
            ModelStepKind.Claim or ModelStepKind.ClaimExpired => ClaimAsync(step, cancel),
            ModelStepKind.Mark or ModelStepKind.Finish or ModelStepKind.Retry or ModelStepKind.GiveBack =>
                _leases.Count == 0 ? Task.CompletedTask : MoveAsync(step, cancel),
            ModelStepKind.Replay or ModelStepKind.Edit or ModelStepKind.Discard =>
                _model.Items.Count == 0 ? Task.CompletedTask : OperateAsync(step, cancel),
            _ => SurroundAsync(step, cancel),
        });
        await CompareAsync(cancel);
    }

    private static NewItem Real(ModelItem item, DedupeKey? dedupe) => new()
    {
        Id = item.Id,
        Queue = Name,
        Route = "sms",
        Group = item.Group,
        OrderKey = item.OrderKey,
        Lane = item.Lane,
        Due = item.Due,
        Expires = item.Expires,
        Dedupe = dedupe,
        Body = item.Id.ToByteArray(),
    };

    private ModelItem NewItem(ModelStep step) => new()
    {
        Id = Guid.CreateVersion7(Now),
        Group = Groups[step.A < 8 ? 1 : step.C],
        OrderKey = step.D ? "key" : null,
        Lane = step.B % 3,
        Due = Now.AddSeconds((step.A % 4) - 2),
        Expires = step.E ? Now.AddSeconds(step.B) : null,
    };

    private async Task EnqueueAsync(ModelStep step, CancellationToken cancel)
    {
        var item = NewItem(step);
        var dedupe = step.A < 4 ? new DedupeKey("source", $"{step.A}", TimeSpan.FromHours(step.B), MaxIds: 3) : null;

        var result = (await Queue.EnqueueAsync([Real(item, dedupe)], cancel))[0];

        Assert.Equal(_model.Enqueue(item, dedupe, Now), result.Verdict);
    }

    private async Task ClaimAsync(ModelStep step, CancellationToken cancel)
    {
        var request = new ClaimRequest(Name, 1 + step.B)
        {
            Expired = step.Kind == ModelStepKind.ClaimExpired,
            Mark = step.D,
            MaxPerGroup = step.E ? 1 : int.MaxValue,
            ExcludedGroups = step.A == 0 ? new HashSet<string> { "a" } : null,
        };

        var claimed = await Queue.ClaimAsync(request, cancel);
        var expected = _model.Claim(request, Now);

        Assert.Equal(expected.Select(item => item.Id), claimed.Items.Select(item => item.Item.Id));
        foreach (var (item, got) in expected.Zip(claimed.Items))
        {
            Assert.Equal(item.Id.ToByteArray(), got.Body.ToArray());
            Assert.DoesNotContain(_leases, known => known.Lease == got.Lease);
            _leases.Add((item, item.Token, got.Lease));
        }

        Assert.All(
            _model.Items.Where(item => !request.Expired && _model.IsReady(item) && item.Due > Now
                && request.ExcludedGroups?.Contains(item.Group) != true),
            item => Assert.True(claimed.NextDue <= item.Due, $"{item} is due and nothing would wake for it"));
    }

    private async Task MoveAsync(ModelStep step, CancellationToken cancel)
    {
        var (item, token, lease) = _leases[step.A % _leases.Count];
        var finish = new Finish(Ends[step.B % 4]) { Reason = "r", AttemptsMade = step.C };
        var retry = new Retry(Now.AddSeconds(step.B), "busy")
        {
            AttemptsMade = step.C,
            KeepAttempting = step.D,
            LetOthersPass = step.E,
        };
        var next = step is { Kind: ModelStepKind.Finish, E: true } ? NewItem(step) : null;

        var result = step.Kind switch
        {
            ModelStepKind.Mark => await Queue.MarkAttemptingAsync(lease, new AttemptMark("fp"), cancel),
            ModelStepKind.Finish => await Queue.FinishAsync(
                lease, finish with { Next = next is null ? [] : [Real(next, null)] }, cancel),
            ModelStepKind.Retry => await Queue.RetryAsync(lease, retry, cancel),
            _ => await Queue.GiveBackAsync(lease, cancel),
        };

        if (item.State != ItemState.Leased || item.Token != token || !_model.Items.Contains(item))
        {
            Assert.Equal(QueueVerdict.Stale, result.Verdict);
            return;
        }

        Assert.Equal(Move(step.Kind, item, finish, retry, next), result.Verdict);
    }

    private QueueVerdict Move(ModelStepKind kind, ModelItem item, Finish finish, Retry retry, ModelItem? next)
    {
        switch (kind)
        {
            case ModelStepKind.Mark:
                item.MarkedUnder = item.MarkedUnder == 0 ? item.Token : item.MarkedUnder;
                break;
            case ModelStepKind.Finish:
                return _model.Finish(item, finish, next, Now) ? QueueVerdict.Done : QueueVerdict.Full;
            case ModelStepKind.Retry:
                QueueModel.Retry(item, retry);
                break;
            default:
                QueueModel.GiveBack(item);
                break;
        }

        return QueueVerdict.Done;
    }

    private async Task OperateAsync(ModelStep step, CancellationToken cancel)
    {
        var item = _model.Items[step.A % _model.Items.Count];
        var seen = item.State.Seen(_model.Held.Contains(item.Group));
        var edit = new Edit(default, item.Id.ToByteArray(), "other");

        var result = step.Kind switch
        {
            ModelStepKind.Replay => await Queue.ReplayAsync(Name, item.Id, new Replay(step.D), cancel),
            ModelStepKind.Edit => await Queue.EditAsync(Name, item.Id, edit, cancel),
            _ => await Queue.DiscardAsync(Name, item.Id, cancel),
        };
        var may = step.Kind switch
        {
            ModelStepKind.Replay => QueueModel.Replay(item, step.D, Now),
            ModelStepKind.Edit => QueueModel.MayEdit(item),
            _ => QueueModel.Discard(item, Now),
        };

        Assert.Equal(may ? QueueVerdict.Done : QueueResult.Refused(seen), result);
    }

    private async Task SurroundAsync(ModelStep step, CancellationToken cancel)
    {
        var group = Groups[step.C];
        switch (step.Kind)
        {
            case ModelStepKind.Hold:
                await Queue.HoldAsync(new Hold(Name, HoldScope.Group, group, "operator"), cancel);
                _model.Held.Add(group);
                break;
            case ModelStepKind.Release:
                var released = await Queue.ReleaseAsync(Name, HoldScope.Group, group, cancel);
                Assert.Equal(_model.Held.Remove(group), released.IsDone);
                break;
            case ModelStepKind.Restart:
                await test.RestartAsync();
                _model.Restart();
                break;
            case ModelStepKind.Sweep:
                Assert.Equal(_model.Sweep(Now), (await Queue.SweepAsync(1000, cancel)).Value);
                break;
            default:
                test.Time.Advance(step.D ? TimeSpan.FromSeconds(step.B) : TimeSpan.FromHours(step.A));
                break;
        }
    }

    private async Task CompareAsync(CancellationToken cancel)
    {
        var listed = (await Queue.ListAsync(new ListRequest(Name), cancel)).Value!.Items;
        Assert.Equal(
            _model.Items.Select(item => (item.Id, item.State.Seen(_model.Held.Contains(item.Group)), item.Attempts,
                item.MarkedUnder != 0, item.Due, item.Expires)),
            listed.Select(item => (item.Id, item.State, item.Attempts, item.Attempting, item.Due, item.Expires)));

        var counted = (await Queue.CountsAsync(Name, cancel)).Value!;
        Assert.Equal(
            listed.GroupBy(item => (item.State, item.Group)).Select(same => $"{same.Key} {same.Count()}").Order(),
            counted.Select(count => $"{(count.State, count.Group)} {count.Items}").Order());
    }
}
