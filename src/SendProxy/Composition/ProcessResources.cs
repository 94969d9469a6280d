using SendProxy.Hosting;
using SendProxy.Overload;

namespace SendProxy.Composition;

/// <summary>What the process takes of its machine before anything else is made.</summary>
internal sealed record ProcessResources(CoreDumps Dumps, MemoryLimit Memory, MemoryBudget Budget, AdminSocket Admin, BoundListeners Bound)
{
    /// <summary>Call before the first credential is read: it closes core dumps.</summary>
    public static ProcessResources Take(string path, ProxySettings settings)
    {
        var dumps = CoreDumps.Set(settings.Process.AllowCoreDumps);
        var memory = MemoryLimit.OfThisProcess;
        var budget = new MemoryBudget(settings.Process.BudgetOf(memory), settings.Roles.HasFlag(Roles.Egress | Roles.Webhooks));
        return new ProcessResources(dumps, memory, budget, AdminSocket.Open(settings.AdminPlaces(path)), new BoundListeners());
    }
}
