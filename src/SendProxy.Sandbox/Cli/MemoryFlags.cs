using System.CommandLine;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Cli;

/// <summary>The options <c>--max-*</c>, which bound the memory.</summary>
internal sealed class MemoryFlags
{
    private const int EntriesMax = 50_000_000;
    private static readonly MemoryOptions Usual = new();

    private readonly Option<int> _ledger = Words.Count(
        "--max-ledger", "Ledger entries held.", Usual.MaxLedgerEntries, 1, EntriesMax);

    private readonly Option<int> _requests = Words.Count(
        "--max-requests", "Requests held.", Usual.MaxRequestEntries, 1, EntriesMax);

    private readonly Option<int> _messages = Words.Count(
        "--max-messages", "Messages that can be asked for.", Usual.MaxMessages, 1, EntriesMax);

    private readonly Option<int> _attempts = Words.Count(
        "--max-webhook-attempts", "Attempts to deliver that are held.", Usual.MaxWebhookAttempts, 1, EntriesMax);

    private readonly Option<int> _tracked = Words.Count(
        "--max-tracked", "Intents, and idempotency keys, counted one by one.", Usual.MaxTrackedNames, 1, EntriesMax);

    private readonly Option<int> _idempotencyKeys = Words.Count(
        "--max-idempotency-keys", "Idempotency keys remembered.", new IdempotencyOptions().MaxRecords, 1, EntriesMax);

    private readonly Option<int> _body = Words.Count(
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
        MaxLedgerEntries = parsed.GetValue(_ledger),
        MaxRequestEntries = parsed.GetValue(_requests),
        MaxMessages = parsed.GetValue(_messages),
        MaxWebhookAttempts = parsed.GetValue(_attempts),
        MaxTrackedNames = parsed.GetValue(_tracked),
    };

    public int MaxIdempotencyKeys(ParseResult parsed) => parsed.GetValue(_idempotencyKeys);

    public int MaxBodyBytes(ParseResult parsed) => parsed.GetValue(_body);
}
