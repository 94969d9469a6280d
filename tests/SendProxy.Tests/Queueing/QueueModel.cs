using SendProxy.Queueing;

namespace SendProxy.Tests.Queueing;

/// <summary>One item of the model.</summary>
internal sealed class ModelItem
{
    public required Guid Id { get; init; }

    public required string Group { get; init; }

    public string? OrderKey { get; init; }

    public int Lane { get; init; }

    public DateTimeOffset Due { get; set; }

    public DateTimeOffset? Expires { get; set; }

    public DateTimeOffset Finished { get; set; }

    public ItemState State { get; set; }

    public ItemState Waiting { get; set; }

    public bool Free { get; set; }

    public int Token { get; set; }

    public int MarkedUnder { get; set; }

    public int Attempts { get; set; }

    public override string ToString() => $"{State} {Attempts} {MarkedUnder != 0} {Due:HH:mm:ss.fff}";
}

/// <summary>
/// The contract of <see cref="IMessageQueue"/> in its plainest form: a list, walked for every question.
/// </summary>
internal sealed class QueueModel(int maxItems, TimeSpan retention, TimeSpan deadRetention)
{
    private static readonly ItemState[] GivenUp = [ItemState.Done, ItemState.Discarded, ItemState.Expired];
    private readonly List<(string Key, Guid Id, DateTimeOffset Until)> _seen = [];

    public List<ModelItem> Items { get; } = [];

    public HashSet<string> Held { get; } = [];

    public EnqueueVerdict Enqueue(ModelItem item, DedupeKey? dedupe, DateTimeOffset now)
    {
        if (dedupe is not null && _seen.Exists(seen => seen.Key == dedupe.Key && seen.Until > now))
        {
            return EnqueueVerdict.Duplicate;
        }

        if (!MakeRoom(1, maxItems - (maxItems / 10)))
        {
            return EnqueueVerdict.Full;
        }

        Items.Add(item);
        if (dedupe is not null)
        {
            _seen.RemoveAll(seen => seen.Key == dedupe.Key);
            _seen.Add((dedupe.Key, item.Id, now + dedupe.Window));
            _seen.RemoveRange(0, Math.Max(0, _seen.Count - dedupe.MaxIds));
        }

        return EnqueueVerdict.Stored;
    }

    public List<ModelItem> Claim(ClaimRequest request, DateTimeOffset now)
    {
        var wanted = Items.Where(
            item => item.State.IsWaiting() && request.ExcludedGroups?.Contains(item.Group) != true);
        var ordered = request.Expired
            ? wanted.Where(item => item.Expires <= now).OrderBy(item => item.Expires).ThenBy(Items.IndexOf)
            : wanted.Where(item => IsReady(item) && item.Due <= now && !(item.Expires <= now))
                .OrderBy(item => item.Lane).ThenBy(item => item.Due).ThenBy(Items.IndexOf);
        var claimed = new List<ModelItem>();
        foreach (var item in ordered.ToList())
        {
            var others = claimed.Count(other => other.Group == item.Group);
            if (claimed.Count == request.Max
                || (!request.Expired && (others >= request.MaxPerGroup || HasOtherInFlight(item))))
            {
                continue;
            }

            item.State = ItemState.Leased;
            item.Token++;
            item.MarkedUnder = request.Mark && item.MarkedUnder == 0 ? item.Token : item.MarkedUnder;
            claimed.Add(item);
        }

        return claimed;
    }

    /// <summary>Whether it may be claimed when it is due: not held, and first under its order key or let go.</summary>
    public bool IsReady(ModelItem item) => item.State.IsWaiting() && !Held.Contains(item.Group)
        && (item.OrderKey is null || item.Free || Items.Find(other => other.Group == item.Group
            && other.OrderKey == item.OrderKey && !other.State.IsFinished() && !other.Free) == item);

    private bool HasOtherInFlight(ModelItem item) => item.OrderKey is not null && Items.Exists(
        other => other.Group == item.Group && other.OrderKey == item.OrderKey && other.State == ItemState.Leased);

    public bool Finish(ModelItem item, Finish finish, ModelItem? next, DateTimeOffset now)
    {
        // Ended first: what follows may take its place.
        var before = (item.State, item.Finished);
        (item.State, item.Finished) = (finish.State, now);
        if (next is not null && !MakeRoom(1, maxItems))
        {
            (item.State, item.Finished) = before;
            return false;
        }

        item.Attempts += finish.AttemptsMade;
        item.MarkedUnder = finish.State is ItemState.Done or ItemState.Dead ? 0 : item.MarkedUnder;
        if (next is not null)
        {
            Items.Add(next);
        }

        return true;
    }

    public static void Retry(ModelItem item, Retry retry)
    {
        (item.State, item.Waiting, item.Due) = (ItemState.Retrying, ItemState.Retrying, retry.Due);
        item.Attempts += retry.AttemptsMade;
        item.MarkedUnder = !retry.KeepAttempting ? 0 : item.MarkedUnder == 0 ? item.Token : item.MarkedUnder;
        item.Free |= retry.LetOthersPass;
    }

    public static void GiveBack(ModelItem item)
    {
        item.State = item.Waiting;
        item.MarkedUnder = item.MarkedUnder == item.Token ? 0 : item.MarkedUnder;
    }

    public static bool Replay(ModelItem item, bool maySendTwice, DateTimeOffset now)
    {
        var may = item.State is ItemState.Dead or ItemState.Expired
            || (item.State == ItemState.Unknown && maySendTwice);
        if (!may || (item.MarkedUnder != 0 && !maySendTwice))
        {
            return false;
        }

        (item.State, item.Waiting, item.Free, item.Due) = (ItemState.Queued, ItemState.Queued, true, now);
        (item.Attempts, item.MarkedUnder) = (0, 0);
        item.Expires = item.Expires <= now ? null : item.Expires;
        return true;
    }

    public static bool MayEdit(ModelItem item) =>
        item.MarkedUnder == 0 && (item.State.IsWaiting() || item.State == ItemState.Dead);

    public static bool Discard(ModelItem item, DateTimeOffset now)
    {
        var may = (item.State.IsWaiting() && item.MarkedUnder == 0)
            || item.State is ItemState.Dead or ItemState.Unknown or ItemState.Expired;
        if (may)
        {
            (item.State, item.Finished, item.MarkedUnder) = (ItemState.Discarded, now, 0);
        }

        return may;
    }

    public void Restart()
    {
        foreach (var item in Items.Where(item => item.State == ItemState.Leased))
        {
            item.State = item.Waiting;
        }
    }

    public int Sweep(DateTimeOffset now)
    {
        var before = Items.Count + _seen.Count;
        Items.RemoveAll(item => GivenUp.Contains(item.State) && item.Finished <= now - retention);
        Items.RemoveAll(
            item => item.State is ItemState.Dead or ItemState.Unknown && item.Finished <= now - deadRetention);
        _seen.RemoveRange(0, _seen.TakeWhile(seen => seen.Until <= now).Count());
        return before - Items.Count - _seen.Count;
    }

    private bool MakeRoom(int items, int bound)
    {
        if (Items.Count(item => !GivenUp.Contains(item.State)) + items > bound)
        {
            return false;
        }

        while (Items.Count + items > bound)
        {
            var settled = Items.Where(item => GivenUp.Contains(item.State));
            Items.Remove(settled
                .OrderBy(item => Array.IndexOf(GivenUp, item.State)).ThenBy(item => item.Finished).ThenBy(Items.IndexOf)
                .First());
        }

        return true;
    }
}
