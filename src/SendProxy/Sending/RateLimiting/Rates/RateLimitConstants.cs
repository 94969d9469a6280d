namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>
/// Numbers that acquire.lua and its twin share. Each stands in the script under the same name, in capitals and with underscores;
/// a test compares them. Times are microseconds where the name says nothing else.
/// </summary>
internal static class RateLimitConstants
{
    /// <summary>Slots are sold so far ahead.</summary>
    public const double Horizon = 100_000;

    /// <summary>One call gets slots for at most so long, divided by those who wait.</summary>
    public const double Quantum = 100_000;

    /// <summary>After a loss of state nobody is granted anything for so long.</summary>
    public const double Hold = 400_000;

    /// <summary>Losses that come together are one.</summary>
    public const double HoldAgainAfter = 2_000_000;

    /// <summary>A clock that is further behind than this is put right.</summary>
    public const double ClockBack = 10_000;

    /// <summary>A clock that is further ahead than this is put right.</summary>
    public const double ClockAhead = 1_000_000;

    /// <summary>A smaller step of the clock ends only the counting in windows.</summary>
    public const double ClockJump = 60_000;

    /// <summary>A rate that was cut grows again after so long.</summary>
    public const double GrowAfter = 1_000_000;

    public const double GrowPerSecond = 0.04;

    /// <summary>It grows soon up to this part of the rate at which the vendor refused.</summary>
    public const double CeilingShare = 0.97;

    /// <summary>It grows beyond that after so long without a refusal.</summary>
    public const double Peace = 30_000_000;

    public const double GrowInPeacePerSecond = 0.01;

    /// <summary>A process that was not heard of for so long is gone.</summary>
    public const double SeenFor = 3_000_000;

    /// <summary>A process that did not ask for so long has nobody waiting.</summary>
    public const double WaitingFor = 1_000_000;

    public const double MultiplierLeast = 0.05;

    /// <summary>Corrections closer than this say that the rate is too high.</summary>
    public const double CorrectionTogetherSeconds = 3;

    /// <summary>One correction lowers the rate by so much at most.</summary>
    public const double CorrectionMost = 0.15;

    public const double RaisePerSecond = 0.05;

    public const double RaiseShare = 0.5;

    public const double RaiseLeastSeconds = 0.5;

    /// <summary>Of refusals closer than this one cuts.</summary>
    public const double CutTogether = 500_000;

    public const double Cut = 0.9;

    /// <summary>After a refusal the vendor's windows are not counted in for so long; doubled up to <see cref="DistrustMost"/>.</summary>
    public const double DistrustFirst = 60_000_000;

    public const double DistrustMost = 3_600_000_000;

    /// <summary>Windows whose beginning nobody saw for so many are forgotten.</summary>
    public const double WindowsUnseen = 5;

    /// <summary>A permit about a boundary goes out evenly when it is at most so many steps early.</summary>
    public const double EvenSteps = 2;

    /// <summary>A probe that is not answered is followed by another after so long.</summary>
    public const double ProbeWait = 10_000_000;

    /// <summary>The part of the slots sold that is put aside for the urgent.</summary>
    public const double UrgentShareMost = 0.5;

    public const double UrgentShareGrowth = 0.01;

    public const double UrgentShareDecay = 0.99;

    /// <summary>An urgent one takes a hole that is due within this.</summary>
    public const double HoleSoon = 5_000;

    public const double ComeBackLeast = 1_000;

    /// <summary>Everybody may send one before asking, while there are at most so many for each permit.</summary>
    public const double PermitsForOneEach = 4;
}
