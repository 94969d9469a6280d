using Prometheus;

namespace SendProxy.Egress.Recipients;

/// <summary>Series of the checks of recipients. Labels are the route's name and words of the program, never a recipient.</summary>
internal sealed class RecipientMetrics(IMetricFactory metrics)
{
    private readonly Counter _refusals = metrics.CreateCounter(
        "sendproxy_recipient_refusals_total", "Messages refused by a route's recipients, by reason.", ["route", "reason"]);

    public void Refused(string route, string reason) => _refusals.WithLabels(route, reason).Inc();
}
