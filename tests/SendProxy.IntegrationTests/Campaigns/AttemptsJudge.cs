using SendProxy.Sandbox.Recording;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>Compares what callers were told with what the vendor really did. Knows nothing of the proxy between them.</summary>
internal static class AttemptsJudge
{
    /// <param name="settled">What those were told in the end that had not been told before.</param>
    /// <param name="losses">When the store of keys lost all it knew.</param>
    /// <returns>Each broken promise, one line.</returns>
    public static IReadOnlyList<string> Judge(
        MessageLedger ledger, IReadOnlyCollection<Call> calls, IReadOnlyList<Call> settled, IReadOnlyList<DateTimeOffset> losses, bool deduplicates)
    {
        var summary = ledger.Summary();
        var effects = ledger.Read().Where(e => e.Intent is not null).ToLookup(e => e.Intent!, StringComparer.Ordinal);
        List<string> broken =
        [
            .. summary.Keys.Samples.Select(k => $"key {k.Key} has {k.Value} effects"),
            .. summary.Intents.Samples.Select(i => $"message {i.Key} has {i.Value} effects"),
        ];
        foreach (var told in calls.GroupBy(c => c.Intent))
        {
            var done = effects[told.Key].ToArray();
            if (told.Any(c => c.Told == Told.Success) && done.Length != 1)
            {
                broken.Add($"message {told.Key} was told 2xx and has {done.Length} effects");
            }

            // An effect must have been under way for some caller who was not told that there is none.
            broken.AddRange(done.Where(e => !told.Any(c => c.Told != Told.No && c.Began <= e.At))
                .Select(e => $"message {told.Key} was told sent: no by all, and has an effect"));

            // Who knows of the calls before says sent: no only where they sent nothing. Before a vendor that deduplicates a
            // proxy that cannot ask the store goes on, and the others do not know; before one that does not, it sends nothing.
            if (!deduplicates || !told.Any(c => c.Blind))
            {
                broken.AddRange(told.Where(c => c.Told == Told.No && c.Code != "idempotency_store_unavailable"
                        && done.Any(e => e.At <= c.Began) && !losses.Any(lost => told.Min(t => t.Began) <= lost && lost <= c.Ended))
                    .Select(c => $"message {told.Key} was told sent: no ({c.Status} {c.Code}) after its effects"));
            }
        }

        // A vendor's final refusal settles it too, as long as it did nothing, or sent it and yet refuses for good, as session-drop does.
        // It is told as maybe after an attempt that may have been sent.
        broken.AddRange(settled.Where(c => c.Told != Told.Success && (deduplicates || c.Code != "outcome_unknown")
                && !(c is { Told: Told.Answered or Told.Maybe, Status: 400 or 404 or 413 or 422, Code: "" } && effects[c.Intent].All(e => e.Fault == "session-drop")))
            .Select(c => $"message {c.Intent} did not settle: {c.Told}, {c.Status} {c.Code}"));
        return broken;
    }
}
