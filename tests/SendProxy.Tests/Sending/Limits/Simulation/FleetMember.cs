using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Feedback;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Sending.RateLimiting.Rates;

namespace SendProxy.Tests.Sending.Limits.Simulation;

/// <summary>One process of the simulated fleet: requests at random, the machine of production, answers learned from.</summary>
internal sealed class FleetMember
{
    private readonly FleetWorld _world;
    private readonly LaneTable _lanes;
    private readonly RateLimiterStateMachine _machine;
    private readonly RateLimitFeedback _vendor;
    private readonly List<(double At, FeedbackFindingKind Kind)> _findings = [];
    private double _wakeAt = double.PositiveInfinity;
    private double _hoard;

    public FleetMember(FleetWorld world, int index, LaneTable lanes)
    {
        (_world, Index, _lanes) = (world, index, lanes);
        _vendor = new RateLimitFeedback(world.Options.Plan);
        _machine = new RateLimiterStateMachine($"p{index}", _vendor.Parameters, lanes, isShared: true, world.Options.Processes, world.Random.NextDouble)
        {
            LongestBlock = new(world.Options.MaxBlockSeconds * 1e6),
            ReplyLife = new(50_000 + RateLimitConstants.Horizon),
            OnTransition = (from, to) => Assert.True(LimiterModes.IsAllowed(from, to), $"{from} to {to}"),
        };
    }

    public int Index { get; }

    public bool IsDead { get; set; }

    public int Sent { get; private set; }

    public int Calls { get; private set; }

    /// <summary>When, and whether it counted in the vendor's own windows.</summary>
    public List<(double At, bool InWindow)> Replies { get; } = [];

    public IReadOnlyList<(double At, FeedbackFindingKind Kind)> Findings => _findings;

    /// <summary>What is kept to, and why, for people.</summary>
    public string Why => $"{_machine.InForce.Rate:0.##}/s{_vendor.Why(_machine.Known?.Multiplier ?? 1, _machine.IsInWindow)}";

    /// <summary>When, which lane, how long it waited.</summary>
    public List<(double At, Lane Lane, double Waited)> Waits { get; } = [];

    public List<(double At, Lane Lane)> Refused { get; } = [];

    public void Start() => _world.AfterAwake(_world.Exponential(_world.MeanGap), () =>
    {
        if (!IsDead)
        {
            Request(DrawLane());
            Start();
        }
    });

    public void Block(double wait)
    {
        _vendor.RefusedElsewhere(new(_world.Now));
        Change(now =>
        {
            _machine.OnFeedback(_vendor.Parameters, -1, 0, edge: null);
            _machine.OnBlocked(new(now), new(wait));
            _machine.Advance(new(now));
        });
    }

    public void AskAgain() => Change(now => _machine.OnProbeAnsweredElsewhere(new(now)));

    public void Unblock() => Change(now => _machine.OnUnblocked(new(now)));

    private Lane DrawLane()
    {
        var draw = _world.Random.NextDouble();
        return draw < _world.Options.UrgentShare ? _lanes.All[0]
            : draw < _world.Options.UrgentShare + _world.Options.BulkShare ? _lanes.All[2]
            : _lanes.All[1];
    }

    private void Request(Lane lane)
    {
        var now = _world.Now;
        if (_machine.Credit(new(now)) >= 1 || _hoard >= 1)
        {
            _hoard = Math.Max(0, _hoard - 1);
            var permit = Permit.Granted(PermitMode.Ready, 1, _machine.Level - 1, _machine.Epoch);
            _machine.OnSpent(1);
            Go(lane, now, permit);
            _world.AfterAwake(_machine.Credit(new(now)) < 1 ? 0 : RateLimiterStateMachine.FlushEvery.Value, () => Change(at => _machine.Advance(new(at))));
            return;
        }

        var waiter = new Waiter(lane, 1, false, new(now), new(now + (_world.Options.MaxWaitSeconds * 1e6)));
        Change(at => _machine.OnRequest(new(at), waiter));
    }

    private void Change(Action<double> change)
    {
        if (IsDead)
        {
            return;
        }

        change(_world.Now);
        foreach (var (waiter, permit) in _machine.Ended)
        {
            if (permit.IsAcquired)
            {
                Go(waiter.Lane, waiter.Since.Value, permit);
            }
            else
            {
                Refused.Add((_world.Now, waiter.Lane));
            }
        }

        _machine.Ended.Clear();
        if (_machine.TakeCall() is { } call)
        {
            Calls++;
            var sentAt = _world.Now;
            if (call.ThrottledFor is { Value: > 0 } throttled)
            {
                _world.Block(throttled.Value);
            }

            if (call.Probe == ProbeResult.Answered)
            {
                _world.AskAgain();
            }

            _world.Ask(call, reply =>
            {
                _hoard += _world.Options.Flaw == FleetFlaw.TokensNeverExpire ? reply?.Allowance ?? 0 : 0;
                Replies.Add((_world.Now, reply is { InWindow: true }));
                Change(at => _machine.OnReply(new(at), new(sentAt), reply));
            });
        }

        // A timer of production: whole milliseconds, one at a time.
        var wake = _machine.WakeAt.Value;
        if (!double.IsPositiveInfinity(wake) && (wake < _wakeAt - 1 || _wakeAt < _world.Now))
        {
            var at = _wakeAt = _world.Now + (1000 * Math.Max(1, Math.Ceiling((wake - _world.Now) / 1000)));
            _world.AfterAwake(at - _world.Now, () =>
            {
                if (_wakeAt == at)
                {
                    _wakeAt = double.PositiveInfinity;
                    Change(now => _machine.Advance(new(now)));
                }
            });
        }
    }

    private void Go(Lane lane, double since, Permit permit)
    {
        Sent++;
        var began = _world.Now;
        Waits.Add((began, lane, began - since));
        _world.Send(this, lane, answer =>
        {
            if (IsDead)
            {
                return;
            }

            if (answer.RetryAfter is not null && _world.Options.Flaw == FleetFlaw.RetriesSkipTheLimiter)
            {
                Go(lane, _world.Now, permit);
            }
            else if (answer.RetryAfter is { } wait)
            {
                // Whole seconds, as a header has them.
                var asked = Math.Ceiling(wait / 1e6) * 1e6;
                var most = _world.Options.MaxBlockSeconds * 1e6;
                long? remaining = _world.Options.HasHeaders ? answer.Remaining : null;
                if (!_vendor.IsOfThisLimit(new VendorRefusal(TimeSpan.FromMicroseconds(Math.Min(asked, most)), asked > most, remaining, answer.Limit, answer.ResetAfter, false), new(_world.Now)))
                {
                    return;
                }

                _vendor.Refused(new(_world.Now));
                Change(at =>
                {
                    _machine.OnFeedback(_vendor.Parameters, -1, 0, edge: null);
                    _machine.OnThrottled(new(at), new(Math.Min(asked, most)), asked > most);
                });
            }
            else
            {
                Answered(permit, answer, began);
            }
        });
    }

    private void Answered(Permit permit, VendorAnswer answer, double began)
    {
        if (permit.IsProbe)
        {
            Change(now => _machine.OnProbeEnded(new(now), ProbeResult.Answered));
        }

        if (!_world.Options.HasHeaders)
        {
            return;
        }

        var delay = TimeSpan.FromMicroseconds(_world.Now - began);
        var finding = _vendor.Hear(
            permit, new RateLimitFeedbackSample(answer.Remaining, answer.Limit, answer.ResetAfter, _world.ResetBlur, delay), new(_world.Now));
        _findings.AddRange(finding is { } found ? [(_world.Now, found.Kind)] : []);
        var edge = _vendor.TakeEdge();
        if (finding is not null || edge is not null)
        {
            Change(_ => _machine.OnFeedback(_vendor.Parameters, permit.LevelEpoch, finding?.Drift ?? 0, edge));
        }
    }
}
