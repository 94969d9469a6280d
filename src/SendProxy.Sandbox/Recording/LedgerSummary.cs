namespace SendProxy.Sandbox.Recording;

/// <summary>The ledger in numbers, complete also for entries that memory no longer holds.</summary>
/// <param name="Effects">Messages really sent.</param>
/// <param name="Held">Entries that can still be read.</param>
/// <param name="Dropped">Entries that gave way to newer ones.</param>
/// <param name="Intents">By <c>metadata.intent</c>.</param>
/// <param name="Keys">By idempotency key, within API key's account and path.</param>
internal sealed record LedgerSummary(long Effects, int Held, long Dropped, NameCounts Intents, NameCounts Keys);

/// <summary>How often names had an effect.</summary>
/// <param name="Distinct">Different names.</param>
/// <param name="Repeated">Names with more than one effect.</param>
/// <param name="Surplus">Effects beyond the first of their name.</param>
/// <param name="Untracked">Effects of names for which there was no room.</param>
/// <param name="Samples">Some repeated names with their number of effects.</param>
internal sealed record NameCounts(
    int Distinct, int Repeated, long Surplus, long Untracked, IReadOnlyDictionary<string, int> Samples)
{
    public static NameCounts Of(EffectCounts counts) =>
        new(counts.Distinct, counts.Repeated, counts.Surplus, counts.Untracked, counts.Samples);
}
