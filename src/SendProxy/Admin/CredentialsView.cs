using System.Globalization;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Admin;

/// <summary>The credentials of a running proxy.</summary>
/// <param name="Scope"><c>fleet</c>: LastAcceptedAt is the latest of all processes; <c>process</c>: this one's. Counts are this process's own in both.</param>
internal sealed record CredentialsView(string Scope, IReadOnlyList<CredentialView> Credentials);

/// <summary>One credential; nothing in it tells the secret. Times are UTC, to the second, and null where there is none.</summary>
/// <param name="From">Where the upstream's credentials come from.</param>
/// <param name="Running">Attempts that use it now.</param>
/// <param name="Why">Why it is safe to revoke, or why not.</param>
internal sealed record CredentialView(
    string Upstream, string Slot, string Fingerprint, string From, string State, string? LoadedAt, string? LastAcceptedAt, long Answers, long Rejected,
    long Running, string? RestsUntil, bool SafeToRevoke, string Why)
{
    public static CredentialView Of(CredentialReport report) => new(
        report.Upstream, report.Slot, report.Fingerprint, report.Place, report.State, Time(report.Loaded), Time(report.LastAccepted), report.Answers, report.Rejected,
        report.Running, Time(report.RestsUntil), report.SafeToRevoke, report.Why);

    private static string? Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
