using SendProxy.Configuration;
using SendProxy.FanOut;
using SendProxy.Hosting;
using SendProxy.Receiving;

namespace SendProxy;

/// <summary>Section <c>webhooks</c>, as its rooms read it.</summary>
internal sealed record WebhookSettings(
    IReadOnlyDictionary<string, SourceOptions> Sources, IReadOnlyDictionary<string, SubscriberOptions> Subscribers)
{
    public static WebhookSettings Read(SettingsReader root)
    {
        var webhooks = root.Section("webhooks", "Webhooks in, events out.");
        var settings = new WebhookSettings(
            webhooks.Map("sources", "Who sends webhooks; each has the path /webhooks/NAME.", SourceOptions.Read),
            webhooks.Map("subscribers", "Who gets the events.", SubscriberOptions.Read));
        foreach (var subscriber in settings.Subscribers.Values)
        {
            foreach (var source in subscriber.Sources.Where(s => s != "sendproxy" && !settings.Sources.ContainsKey(s)))
            {
                // A worker apart from the gateway has no sources to compare with.
                webhooks.Check(settings.Sources.Count == 0, "subscribers",
                    $"subscribers.{subscriber.Name}.sources {Spelling.Quoted(source)} is no name of webhooks.sources");
            }
        }

        return settings;
    }

    /// <summary>Whether these roles store events or take them out.</summary>
    public bool NeedsJournal(Roles roles) =>
        (roles.HasFlag(Roles.Webhooks) && Sources.Count > 0) || (roles.HasFlag(Roles.Worker) && Subscribers.Count > 0);
}
