using SendProxy.Overload;

namespace SendProxy.Composition;

/// <summary>Puts changed settings in force in the running process, one room after another.</summary>
internal sealed class SettingsApplier(EgressComposer egress, WebhooksComposer webhooks, LiveState live, MemoryBudget budget)
{
    /// <summary>Swaps everything for what the new settings say.</summary>
    public void Apply(ProxySettings settings)
    {
        budget.Bytes = settings.Process.BudgetOf(MemoryLimit.OfThisProcess);
        var routes = egress.Compose(settings);
        live.Egress.Swap(routes);
        live.Outbox.Swap(OutboxComposer.Compose(settings, routes));
        webhooks.Apply(settings, live.Receiving, live.FanOut);
    }
}
