using SendProxy.Configuration;
using SendProxy.Hosting;
using SendProxy.Overload;

namespace SendProxy;

/// <summary>Settings that the memory limit cannot hold. They are told and not refused: the limit is known only where the process runs.</summary>
internal static class MemoryChecks
{
    // A webhook is held twice while it is stored: as it came, and sealed.
    private const int CopiesOfWebhook = 2;

    /// <returns>One sentence for each setting that does not fit, with its remedy.</returns>
    public static IEnumerable<string> Warnings(ProxySettings settings, MemoryLimit memory)
    {
        var budget = settings.Process.BudgetOf(memory);
        var safe = OverloadDefaults.SafeBudgetOf(memory);
        if (budget > safe)
        {
            yield return $"process.maxBufferedBytes ({Size(budget)}) leaves too little of the memory limit ({Size(memory.Bytes)}) for the process itself: "
                + $"give it at most {Size(safe)}, or a larger limit.";
        }

        var connections = Connections(settings, budget);
        if (connections > budget / 4 * 3)
        {
            yield return $"listen.maxConnections: the heads of all of them can hold {Size(connections)} of the memory budget ({Size(budget)}): allow fewer, or give a larger memory limit.";
        }

        var most = MemoryBudget.MostFor(budget, settings.Roles.HasFlag(Roles.Egress | Roles.Webhooks));
        foreach (var source in settings.Webhooks.Sources.Values.Where(s => settings.Roles.HasFlag(Roles.Webhooks) && s.MaxBodyBytes * CopiesOfWebhook > most))
        {
            yield return $"webhooks.sources.{source.Name}.maxBody ({Size(source.MaxBodyBytes)}) is more than the memory budget takes for one webhook ({Size(most / CopiesOfWebhook)}): "
                + "larger ones get overloadStatus. Give a larger memory limit, or a smaller maxBody.";
        }

        foreach (var route in settings.Routes.Where(r => settings.Roles.HasFlag(Roles.Egress) && r.Body.MaxBody > most))
        {
            yield return $"routes: maxBody of {route.Name} ({Size(route.Body.MaxBody)}) is more than the memory budget takes for one body ({Size(most)}): "
                + "larger ones get 503 overloaded. Give a larger memory limit, or a smaller maxBody.";
        }
    }

    private static long Connections(ProxySettings settings, long budget)
    {
        var kinds = new List<ListenerKind> { ListenerKind.Metrics, ListenerKind.Admin };
        if (settings.Roles.HasFlag(Roles.Egress))
        {
            kinds.Add(ListenerKind.Egress);
        }

        if (settings.Roles.HasFlag(Roles.Webhooks))
        {
            kinds.Add(ListenerKind.Webhooks);
        }

        return kinds.Sum(kind => (long)settings.Listen.Connections.Of(kind, budget, settings.Roles)) * ConnectionOptions.ConnectionBytes;
    }

    // Of whole MiB: a tenth of a share is no round number of bytes.
    private static string Size(long bytes) => bytes < 1 << 20 ? Units.FormatSize(bytes) : $"{bytes >> 20}MiB";
}
