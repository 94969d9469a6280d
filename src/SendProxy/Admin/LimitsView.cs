using SendProxy.Sending.RateLimiting;

namespace SendProxy.Admin;

/// <summary>The plan's limits as one process keeps them.</summary>
internal sealed record LimitsView(string Process, IReadOnlyList<LimitStatusView> Limits);

/// <param name="Left">Permits there now, as far as this process knows; null where that is not known.</param>
/// <param name="Used">Permits that this process gave.</param>
/// <param name="VendorLimit">What the vendor's headers said last, as are remaining and reset; null where they said nothing.</param>
internal sealed record LimitStatusView(
    string Limit, string Plan, string Mode, string InForce, long Used, double? Left, int Waiting, int Processes, double BlockedSeconds,
    long? VendorLimit, long? VendorRemaining, double? VendorResetSeconds)
{
    public static LimitStatusView Of(LimitView view) => new(
        view.Name, view.Plan, view.Mode, view.InForce, view.Used, view.Left, view.Waiting, view.Processes, Math.Round(view.BlockedSeconds, 3),
        view.VendorLimit, view.VendorRemaining, view.VendorResetSeconds);
}

/// <param name="CanBeBlocked">False for a quota, which is never blocked.</param>
/// <param name="BlockedSeconds">How long the block would have lasted yet; 0 where there was none.</param>
/// <param name="Scope"><c>fleet</c>, or <c>process</c> where no Redis answered that would tell the others.</param>
internal sealed record UnblockView(string Limit, bool CanBeBlocked, double BlockedSeconds, string Scope);
