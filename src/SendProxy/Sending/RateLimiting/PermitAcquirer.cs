using SendProxy.Errors;

namespace SendProxy.Sending.RateLimiting;

/// <summary>
/// Takes one permit from each limit of a request: all or none, and none is held while another is waited for, since a permit
/// that is used late counts twice for the vendor. Waits for the scarcest first.
/// </summary>
internal static class PermitAcquirer
{
    // A permit can be kept for this long without harm, since the time to the vendor varies by more.
    private static readonly TimeSpan KeptFor = TimeSpan.FromMilliseconds(20);

    /// <summary>More rounds than this, and what was got is kept while the rest is waited for.</summary>
    private const int RoundsMax = 4;

    /// <param name="requests">What is asked of each limit; as long as <paramref name="limits"/>.</param>
    /// <param name="permits">Filled where null is returned; as long as <paramref name="limits"/>.</param>
    /// <returns>Null when each limit gave its permit; else why not, with nothing taken.</returns>
    public static ValueTask<Refusal?> TakeAsync(
        IReadOnlyList<PlanLimiter> limits, PermitRequest[] requests, Permit[] permits, Deadline deadline, CancellationToken cancellation)
    {
        var refused = TakeNow(limits, requests, permits);
        return refused < 0 ? default : WaitAsync(limits, requests, permits, refused, deadline, cancellation);
    }

    /// <summary>Nothing was sent: all go back.</summary>
    public static void GiveBack(IReadOnlyList<PlanLimiter> limits, PermitRequest[] requests, Permit[] permits) => GiveBack(limits, requests, permits, limits.Count, -1);

    // Returns the limit that had none, or -1.
    private static int TakeNow(IReadOnlyList<PlanLimiter> limits, PermitRequest[] requests, Permit[] permits, int kept = -1)
    {
        for (var i = 0; i < limits.Count; i++)
        {
            if (i != kept && !limits[i].TryTake(requests[i], out permits[i]))
            {
                GiveBack(limits, requests, permits, i, kept);
                return i;
            }
        }

        return -1;
    }

    private static void GiveBack(IReadOnlyList<PlanLimiter> limits, PermitRequest[] requests, Permit[] permits, int count, int kept)
    {
        for (var i = 0; i < count; i++)
        {
            if (i != kept && permits[i].IsAcquired)
            {
                limits[i].GiveBack(requests[i], permits[i]);
            }
        }
    }

    private static async ValueTask<Refusal?> WaitAsync(
        IReadOnlyList<PlanLimiter> limits, PermitRequest[] requests, Permit[] permits, int refused, Deadline deadline, CancellationToken cancellation)
    {
        var budget = new WaitBudget(deadline);
        for (var round = 0; ; round++)
        {
            var scarcest = Scarcest(limits, requests, refused);
            permits[scarcest] = await limits[scarcest].AcquireAsync(requests[scarcest], budget.Of(limits[scarcest]), cancellation);
            if (!permits[scarcest].IsAcquired)
            {
                return Refuse(limits[scarcest], requests[scarcest], permits[scarcest]);
            }

            refused = TakeNow(limits, requests, permits, scarcest);
            if (refused < 0)
            {
                return null;
            }

            if (round >= RoundsMax || limits[refused].Predict(requests[refused]) <= KeptFor)
            {
                return await KeepAsync(limits, requests, permits, scarcest, budget, cancellation);
            }

            limits[scarcest].GiveBack(requests[scarcest], permits[scarcest]);
        }
    }

    // The permit that was waited for is kept, and the others are acquired one after the other.
    private static async ValueTask<Refusal?> KeepAsync(
        IReadOnlyList<PlanLimiter> limits, PermitRequest[] requests, Permit[] permits, int kept, WaitBudget budget, CancellationToken cancellation)
    {
        var taken = 0;
        try
        {
            for (; taken < limits.Count; taken++)
            {
                if (taken == kept)
                {
                    continue;
                }

                permits[taken] = await limits[taken].AcquireAsync(requests[taken], budget.Of(limits[taken]), cancellation);
                if (!permits[taken].IsAcquired)
                {
                    var refusal = Refuse(limits[taken], requests[taken], permits[taken]);
                    GiveBackFirst(taken);
                    return refusal;
                }
            }

            return null;
        }
        catch (OperationCanceledException)
        {
            GiveBackFirst(taken);
            throw;
        }

        void GiveBackFirst(int count)
        {
            GiveBack(limits, requests, permits, count, kept);
            limits[kept].GiveBack(requests[kept], permits[kept]);
        }
    }

    private static int Scarcest(IReadOnlyList<PlanLimiter> limits, PermitRequest[] requests, int refused)
    {
        var (scarcest, longest) = (refused, limits.Count == 1 ? TimeSpan.Zero : limits[refused].Predict(requests[refused]));
        for (var i = 0; i < limits.Count && limits.Count > 1; i++)
        {
            if (i != refused && limits[i].Predict(requests[i]) is var wait && wait > longest)
            {
                (scarcest, longest) = (i, wait);
            }
        }

        return scarcest;
    }

    private static Refusal Refuse(PlanLimiter limit, in PermitRequest request, Permit permit) => permit.Reason switch
    {
        PermitRefusal.Disposed => Refusal.NotSent(ProxyError.ShuttingDown, "The limiter has ended.", permit.RetryAfter),
        PermitRefusal.QueueFull => Refusal.NotSent(ProxyError.RateLimited,
            $"limits.{limit.Name}.maxWaiting ({limit.Options.MaxWaiting}) requests wait already.", permit.RetryAfter),
        PermitRefusal.QuotaUsed => Refusal.NotSent(ProxyError.QuotaExceeded, $"limits.{limit.Name} ({limit.Options.Plan}) is used up.", permit.RetryAfter),
        PermitRefusal.Closed => Refusal.NotSent(ProxyError.LimiterUnavailable,
            $"fleet.redis does not answer, and limits.{limit.Name} has whenRedisIsAway: closed.", permit.RetryAfter),
        _ when limit.BlockedFor(request) is { Ticks: > 0 } blocked => Refusal.NotSent(ProxyError.RateLimited,
            $"The vendor blocks limits.{limit.Name}: it answered 429 and asked to wait, and nothing is sent for "
            + string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Math.Ceiling(blocked.TotalSeconds)} s. If you know that it answers again: sendproxy limits unblock {limit.Name}."),
            permit.RetryAfter),
        _ => Refusal.NotSent(ProxyError.RateLimited,
            $"limits.{limit.Name} ({limit.Options.Plan}) has no permit within its maxWait or the request's deadline.", permit.RetryAfter),
    };

    /// <summary>
    /// How long a request may still wait: all waits of its limits together, so that three limits with a maxWait of 2 s make it wait
    /// for 2 s at most. A limit that it comes to later than that must have its permit at once.
    /// </summary>
    private readonly struct WaitBudget(Deadline deadline)
    {
        private readonly TimeSpan _atStart = deadline.Left;

        public TimeSpan Of(PlanLimiter limit)
        {
            var left = deadline.Left;
            var own = limit.Options.MaxWait - (_atStart - left);
            return own < left ? own : left;
        }
    }
}
