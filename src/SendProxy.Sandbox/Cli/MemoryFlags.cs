using System.CommandLine;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Cli;

/// <summary>The options <c>--max-*</c>, which bound the memory.</summary>
internal sealed class MemoryFlags
{
    private const int EntriesMax = 50_000_000;
    private static readonly MemoryOptions Usual = new();

    private readonly Setting<int> _ledger = Words.Count(
        "--max-ledger", "Ledger entries held.", Usual.MaxLedgerEntries, 1, EntriesMax);

    private readonly Setting<int> _requests = Words.Count(
        "--max-requests", "Requests held.", Usual.MaxRequestEntries, 1, EntriesMax);

    private readonly Setting<int> _messages = Words.Count(
        "--max-messages", "Messages that can be asked for.", Usual.MaxMessages, 1, EntriesMax);

    private readonly Setting<int> _attempts = Words.Count(
        "--max-webhook-attempts", "Attempts to deliver that are held.", Usual.MaxWebhookAttempts, 1, EntriesMax);

    private readonly Setting<int> _tracked = Words.Count(
        "--max-tracked", "Intents, and idempotency keys, counted one by one.", Usual.MaxTrackedNames, 1, EntriesMax);

    private readonly Setting<int> _idempotencyKeys = Words.Count(
        "--max-idempotency-keys", "Idempotency keys remembered.", new IdempotencyOptions().MaxRecords, 1, EntriesMax);

    private readonly Setting<int> _body = Words.Count(
        "--max-body", "Bytes of a request's body.", new SandboxOptions().MaxBodyBytes, 1, 64 << 20);

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])
            [_body, _ledger, _requests, _messages, _attempts, _tracked, _idempotencyKeys])
        {
            command.Options.Add(option);
        }
    }

    public MemoryOptions Read(ParseResult parsed) => new()
    {
        MaxLedgerEntries = _ledger.Read(parsed),
        MaxRequestEntries = _requests.Read(parsed),
        MaxMessages = _messages.Read(parsed),
        MaxWebhookAttempts = _attempts.Read(parsed),
        MaxTrackedNames = _tracked.Read(parsed),
    };

    public int MaxIdempotencyKeys(ParseResult parsed) => _idempotencyKeys.Read(parsed);

    public int MaxBodyBytes(ParseResult parsed) => _body.Read(parsed);
}
