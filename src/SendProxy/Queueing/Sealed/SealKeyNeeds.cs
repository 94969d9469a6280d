using SendProxy.Secrets.Sealing;

namespace SendProxy.Queueing.Sealed;

/// <summary>Whether the configured seal keys are those of the journal.</summary>
internal static class SealKeyNeeds
{
    /// <exception cref="SealKeyUnavailableException">There are items, and no key opens any of them.</exception>
    public static void RefuseIfNothingOpens(SealKeys keys, IReadOnlyList<SealKeyUse> counts, string journal)
    {
        if (counts.Count == 0 || counts.Any(count => keys.Find(count.Key) is not null))
        {
            return;
        }

        var items = counts.Sum(count => count.Items);
        throw new SealKeyUnavailableException(
            keys.Current.File, $"({string.Join(", ", keys.All.Select(key => key.Id))}) opens none of the {Items(items)} in the journal {journal}. They are sealed under "
            + string.Join(" and ", counts.Select(count => $"the key {count.Key} ({Items(count.Items)})"))
            + ". Nothing was changed. Give back the file with that key: anywhere in journal.sealKeys, where the first key seals and all keys open. "
            + "If the key is lost, nobody can read these items; docs/OPERATING.md says under \"A new beginning\" how to start without them");
    }

    private static string Items(long count) => count == 1 ? "1 item" : $"{count} items";
}
