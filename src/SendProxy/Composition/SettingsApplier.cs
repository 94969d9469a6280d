using SendProxy.Configuration;
using SendProxy.Egress;
using SendProxy.FanOut;
using SendProxy.Outbox.Messages;
using SendProxy.Overload;
using SendProxy.Receiving;

namespace SendProxy.Composition;

/// <summary>Puts changed settings in force in the running process, one room after another.</summary>
internal sealed class SettingsApplier(
    EgressComposer egressComposer, WebhooksComposer webhooksComposer, Live<EgressState> egress, Live<ReceivingState> receiving,
    Live<FanOutState> fanOut, Live<OutboxRoutes> outbox, MemoryBudget budget)
{
    /// <summary>Swaps everything for what the new settings say.</summary>
    public void Apply(ProxySettings settings)
    {
        budget.Bytes = settings.Process.BudgetOf(MemoryLimit.OfThisProcess);
        var routes = egressComposer.Compose(settings);
        egress.Swap(routes);
        outbox.Swap(OutboxComposer.Compose(settings, routes));
        webhooksComposer.Apply(settings, receiving, fanOut);
    }
}
