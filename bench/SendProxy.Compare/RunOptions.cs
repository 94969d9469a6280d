using System.Globalization;

namespace SendProxy.Compare;

/// <summary>How long and what. Flags: --quick, --only PART[,PART], --rounds N, --seconds N, --budget SECONDS, --page FILE, --plots DIR.</summary>
/// <param name="Parts">Of <see cref="AllParts"/>.</param>
/// <param name="Budget">Parts that would begin later than this are left out, and the page says so.</param>
internal sealed record RunOptions(
    bool Quick, IReadOnlyList<string> Parts, int Rounds, TimeSpan Length, TimeSpan Budget, string Page, string Plots)
{
    public static readonly string[] AllParts = ["start", "out", "tls", "features", "in", "outbox", "growth", "fault"];

    public static RunOptions? Parse(string[] args)
    {
        var flags = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--quick")
            {
                flags[args[i]] = "";
            }
            else if (args[i] is "--only" or "--rounds" or "--seconds" or "--budget" or "--page" or "--plots" && i + 1 < args.Length)
            {
                flags[args[i]] = args[++i];
            }
            else
            {
                return null;
            }
        }

        var quick = flags.ContainsKey("--quick");
        var parts = flags.GetValueOrDefault("--only")?.Split(',') ?? AllParts;
        return parts.Except(AllParts).Any() ? null : new(
            quick, parts,
            Math.Clamp((int)Number(flags, "--rounds", quick ? 2 : 3), 1, 50),
            TimeSpan.FromSeconds(Math.Clamp(Number(flags, "--seconds", quick ? 0.8 : 2.2), 0.5, 60)),
            TimeSpan.FromSeconds(Number(flags, "--budget", 1080)),
            flags.GetValueOrDefault("--page", "bench/RESULTS.md"), flags.GetValueOrDefault("--plots", "bench/plots"));
    }

    private static double Number(Dictionary<string, string> flags, string name, double fallback) =>
        flags.TryGetValue(name, out var text) ? double.Parse(text, CultureInfo.InvariantCulture) : fallback;
}
