using SendProxy.Configuration;

namespace SendProxy.Egress.Recipients;

/// <summary>Which bound is used up, and for how long.</summary>
internal readonly record struct UsedUp(string Setting, string Reason, TimeSpan Wait);

/// <summary>A recipient as it is counted: by hash, so that no memory holds who was written to.</summary>
internal readonly record struct RecipientHashes(UInt128 Recipient, UInt128 Group);

/// <summary>What a route has sent to whom, in this process. A message takes one of each bound for each recipient, all or none.</summary>
internal sealed class RecipientCounts(RecipientBounds bounds, Func<double> draw, TimeProvider time)
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private readonly FixedWindowCounter? _recipients = Counter(bounds.PerRecipient, bounds, draw);
    private readonly FixedWindowCounter? _groups = Counter(bounds.PerPrefix, bounds, draw);
    private readonly FixedWindowCounter? _day = bounds.PerDay is { } most ? new FixedWindowCounter(most, Day, 1, draw) : null;

    public RecipientBounds Bounds => bounds;

    /// <param name="taken">When: for <see cref="GiveBack"/>.</param>
    /// <returns>Null where all were counted; else the first bound that is used up, and nothing is counted.</returns>
    public UsedUp? Take(IReadOnlyList<RecipientHashes> recipients, out TimeSpan taken)
    {
        lock (_lock)
        {
            taken = time.GetElapsedTime(_start);
            for (var i = 0; i < recipients.Count; i++)
            {
                if (TakeOne(recipients[i], taken) is { } used)
                {
                    Return(recipients.Take(i), taken);
                    return used;
                }
            }

            return null;
        }
    }

    /// <summary>Nothing was sent: the counts are as if it had not been asked for.</summary>
    public void GiveBack(IReadOnlyList<RecipientHashes> recipients, TimeSpan taken)
    {
        lock (_lock)
        {
            Return(recipients, taken);
        }
    }

    private static FixedWindowCounter? Counter(Rate? rate, RecipientBounds bounds, Func<double> draw) =>
        rate is { } r ? new FixedWindowCounter(r.Permits, r.Per, bounds.MaxRecipients, draw) : null;

    private UsedUp? TakeOne(RecipientHashes recipient, TimeSpan now)
    {
        if (_day?.Take(0, now) is { } day)
        {
            return new UsedUp($"perDay ({bounds.PerDay})", "per_day", day);
        }

        if (_groups?.Take(recipient.Group, now) is { } group)
        {
            _day?.GiveBack(0, now);
            return new UsedUp($"perPrefix ({bounds.PerPrefix})", "per_prefix", group);
        }

        if (_recipients?.Take(recipient.Recipient, now) is { } wait)
        {
            _day?.GiveBack(0, now);
            _groups?.GiveBack(recipient.Group, now);
            return new UsedUp($"perRecipient ({bounds.PerRecipient})", "per_recipient", wait);
        }

        return null;
    }

    private void Return(IEnumerable<RecipientHashes> recipients, TimeSpan taken)
    {
        foreach (var recipient in recipients)
        {
            _day?.GiveBack(0, taken);
            _groups?.GiveBack(recipient.Group, taken);
            _recipients?.GiveBack(recipient.Recipient, taken);
        }
    }
}
