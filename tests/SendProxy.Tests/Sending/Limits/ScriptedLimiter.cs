using SendProxy.Configuration;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>A limit that does what the test says and counts the permits that are held of it.</summary>
/// <param name="log">What was asked of all limits, in its order.</param>
internal sealed class ScriptedLimiter(string name, List<string> log, TimeSpan maxWait = default) : PlanLimiter(
    new LimitOptions(name, new Rate(1, TimeSpan.FromSeconds(1)), false, 1, maxWait, 10), LaneTable.Default)
{
    /// <summary>What each try gives; true once all are used.</summary>
    public Queue<bool> Tries { get; init; } = [];

    /// <summary>What each wait gives.</summary>
    public Func<CancellationToken, ValueTask<Permit>> Wait { get; set; } = _ => new(Permit.Granted(PermitMode.Reserved, 1));

    public TimeSpan Predicted { get; init; }

    public int Held { get; private set; }

    public List<TimeSpan> MaxWaits { get; } = [];

    public override TimeSpan? IdleDuration => null;

    public override bool TryTake(in PermitRequest request, out Permit permit)
    {
        var isTaken = !Tries.TryDequeue(out var scripted) || scripted;
        permit = isTaken ? Granted(Permit.Granted(PermitMode.Ready, 1)) : default;
        return isTaken;
    }

    public override async ValueTask<Permit> AcquireAsync(PermitRequest request, TimeSpan maxWait, CancellationToken cancellation)
    {
        log.Add($"wait {Name}");
        MaxWaits.Add(maxWait);
        return Granted(await Wait(cancellation));
    }

    public override TimeSpan Predict(in PermitRequest request) => Predicted;

    public override void GiveBack(in PermitRequest request, Permit permit)
    {
        Assert.True(permit.IsAcquired);
        log.Add($"back {Name}");
        Held--;
    }

    public override void Ended(in PermitRequest request, Permit permit, RateLimitFeedbackSample? learned)
    {
        log.Add(learned is { } sample ? $"used {Name}, {sample.Remaining} left" : $"used {Name}");
        Held--;
    }

    public override void Throttle(in PermitRequest request, in VendorRefusal refusal) => log.Add($"throttle {Name}");

    public override IEnumerable<LimitView> Views() => [];

    public override System.Threading.RateLimiting.RateLimiterStatistics? GetStatistics() => null;

    private Permit Granted(Permit permit)
    {
        Held += permit.IsAcquired ? 1 : 0;
        return permit;
    }
}
