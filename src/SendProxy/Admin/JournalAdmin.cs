using SendProxy.Errors;
using SendProxy.Hosting;
using SendProxy.Queueing;
using SendProxy.Secrets.Sealing;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Admin;

/// <summary>What the admin socket tells of the journal: which seal keys are in use, and which may be taken away.</summary>
internal sealed class JournalAdmin(JournalHost journal, Func<IIdempotencyStore?> idempotency)
{
    /// <returns>Null where the request is for something else.</returns>
    public Task? Handle(HttpContext context) =>
        (context.Request.Method, context.Request.Path.Value) is ("GET", AdminSocket.JournalKeysPath) ? KeysAsync(context) : null;

    private async Task KeysAsync(HttpContext context)
    {
        if (journal.Opened is not { } opened)
        {
            await RefuseAsync(context, ProxyError.NotFound, "This proxy has no journal: nothing in its configuration stores items.");
            return;
        }

        var store = idempotency();
        var uses = await opened.Queue.SealKeysAsync(context.RequestAborted);
        var answers = store is SqliteIdempotencyStore file
            ? await file.AnswersByKeyAsync(context.RequestAborted)
            : new Dictionary<SealKeyId, long>();
        if (uses.Value is not { } used || answers is null)
        {
            await RefuseAsync(context, ProxyError.JournalUnavailable, "The journal cannot be asked now.");
            return;
        }

        var elsewhere = store is not null and not SqliteIdempotencyStore;
        var ids = opened.SealKeys.All.Select(key => key.Id).Concat(used.Select(use => use.Key)).Concat(answers.Keys).Distinct();
        var keys = ids.Select(id => View(id, opened.SealKeys, used.FirstOrDefault(use => use.Key == id), answers.GetValueOrDefault(id), elsewhere));
        await AdminJson.WriteAsync(context, new JournalKeysView([.. keys], elsewhere), AdminJson.Default.JournalKeysView);
    }

    private static JournalKeyView View(SealKeyId id, SealKeys keys, SealKeyUse? use, long answers, bool elsewhere)
    {
        var key = keys.Find(id);
        var (items, seals) = (use?.Items ?? 0, id == keys.Current.Id);
        var why = key is null ? $"not configured: {items} items are held until it is back"
            : seals ? "new items are sealed with it"
            : items > 0 ? $"{items} items need it"
            : answers > 0 ? $"{answers} recorded answers need it"
            : elsewhere ? "nothing in the journal needs it; answers in Redis may, for the lifetime of idempotency keys"
            : "nothing needs it";
        return new JournalKeyView(
            id.ToString(), key?.File, seals, items, use?.Oldest, answers, key is not null && !seals && items == 0 && answers == 0, why);
    }

    private static Task RefuseAsync(HttpContext context, ProxyError error, string why) =>
        Problem.WriteAsync(context, Refusal.NotSent(error, why), Guid.NewGuid().ToString());
}
