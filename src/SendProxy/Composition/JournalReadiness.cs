using SendProxy.Admin;
using SendProxy.Queueing;

namespace SendProxy.Composition;

/// <summary>Readiness of webhooks and worker follows the journal. Here, since no room but this one may know Admin.</summary>
internal sealed class JournalReadiness(JournalHost journal) : IReadiness
{
    public string? NotReady() => journal.NotReady();
}
