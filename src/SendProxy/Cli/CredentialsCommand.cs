using System.CommandLine;
using System.Globalization;
using SendProxy.Admin;
using SendProxy.Hosting;

namespace SendProxy.Cli;

/// <summary><c>sendproxy credentials</c>: the credentials of a running proxy, and which of them may be revoked.</summary>
internal static class CredentialsCommand
{
    private static readonly string[] Head =
        ["UPSTREAM", "SLOT", "FINGERPRINT", "STATE", "LOADED", "LAST ACCEPTED", "ANSWERS", "REJECTED", "RESTS UNTIL", "SAFE TO REVOKE", "FROM"];

    public static Command Create(Option<string> config)
    {
        var common = new AdminOptions(config);
        var command = common.AddTo(new Command("credentials",
            "List the keys of a running proxy by fingerprint, and whether each may be revoked. Exit 0; 2: the configuration is bad; 3: no proxy answers."));
        command.SetAction((result, cancellation) => common.PrintAsync(
            HttpMethod.Get, AdminSocket.CredentialsPath, AdminJson.Default.CredentialsView, Text, result, cancellation));
        return command;
    }

    /// <summary>The answer as a table.</summary>
    public static string Text(CredentialsView view) => view.Credentials.Count == 0
        ? "This proxy has no upstream keys."
        : $"{Table.Write(Head, [.. view.Credentials.Select(Row)])}\n" + (view.Scope == "fleet"
            ? "Times are UTC. LAST ACCEPTED is the fleet's, some seconds old; counts and running attempts are this process's own."
            : "Times are UTC. Counts are this process's own since it started: ask every process before you revoke a key.");

    private static string[] Row(CredentialView key) =>
    [
        key.Upstream, key.Slot, key.Fingerprint.Length > 0 ? key.Fingerprint : "-", key.State, key.LoadedAt ?? "-", key.LastAcceptedAt ?? "-",
        key.Answers.ToString(CultureInfo.InvariantCulture), key.Rejected.ToString(CultureInfo.InvariantCulture), key.RestsUntil ?? "-",
        $"{(key.SafeToRevoke ? "yes" : "no")}: {key.Why}", key.From,
    ];
}
