using Prometheus;

namespace SendProxy.Overload;

/// <summary>Series of the memory budget and of slow peers. Set when they are asked for, so that no request pays for them.</summary>
internal sealed class OverloadMetrics
{
    private static readonly (MemoryUse Use, string Word)[] Uses =
    [
        (MemoryUse.Connection, "connection"), (MemoryUse.RequestBody, "request_body"), (MemoryUse.ResponseBody, "response_body"),
        (MemoryUse.Webhook, "webhook"), (MemoryUse.Delivery, "delivery"),
    ];

    public OverloadMetrics(CollectorRegistry registry, IMetricFactory metrics, MemoryBudget budget, DataRateMonitor rates, MemoryLimit memory)
    {
        var limit = metrics.CreateGauge("sendproxy_memory_limit_bytes", "The memory limit of the container; the machine's memory where there is none.");
        var whole = metrics.CreateGauge("sendproxy_memory_budget_bytes", "What requests may hold at once: process.maxBufferedBytes.");
        var reserved = metrics.CreateGauge("sendproxy_memory_reserved_bytes", "Memory that is charged to the budget, by what holds it.", ["use"]);
        var refusals = metrics.CreateCounter("sendproxy_memory_refusals_total", "Requests that found no room in the memory budget, by what for.", ["use"]);
        var buffered = metrics.CreateGauge("sendproxy_buffered_body_bytes", "Memory that request bodies hold.");
        var waited = metrics.CreateGauge("sendproxy_transfers_waiting", "Bodies and answers whose peer is waited for.");
        var ended = metrics.CreateCounter(
            "sendproxy_transfers_ended_total",
            "Bodies and answers that were cut off: too_slow below listen.minDataRate or listen.responseStall, gave_way when memory was short.", ["reason"]);
        registry.AddBeforeCollectCallback(() =>
        {
            limit.Set(memory.Bytes);
            whole.Set(budget.Bytes);
            foreach (var (use, word) in Uses)
            {
                reserved.WithLabels(word).Set(budget.Reserved(use));
                refusals.WithLabels(word).IncTo(budget.Refusals(use));
            }

            buffered.Set(budget.Reserved(MemoryUse.RequestBody));
            waited.Set(rates.Waiting);
            ended.WithLabels("too_slow").IncTo(rates.TooSlow);
            ended.WithLabels("gave_way").IncTo(rates.GaveWay);
        });
    }
}
