using System.Net;
using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Server;

/// <summary>How the simulated SendAPI behaves. The defaults are those of the <c>sendapi</c> preset.</summary>
internal sealed record SandboxOptions
{
    /// <summary>Where plain HTTP is served; null for nowhere. Port 0 takes a free one.</summary>
    public IPEndPoint? Http { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>Where HTTPS is served with a certificate made at the start; null, the default, for nowhere.</summary>
    public IPEndPoint? Https { get; init; }

    /// <summary>HTTP/2 is offered over HTTPS beside HTTP/1.1. Default true.</summary>
    public bool Http2 { get; init; } = true;

    /// <summary>Accepted API keys, each <c>key</c> or <c>account=key</c>.</summary>
    public IReadOnlyList<string> Keys { get; init; } = ["sk_test_sandbox", "sk_live_sandbox01"];

    /// <summary>WhatsApp sessions that exist and are connected.</summary>
    public IReadOnlyList<string> Sessions { get; init; } = ["wa_main", "wa_second"];

    public IdempotencyOptions Idempotency { get; init; } = new();

    /// <summary>The vendor's own limits; empty, the default, for none.</summary>
    public IReadOnlyList<LimitOptions> Limits { get; init; } = [];

    public RateHeaderOptions RateHeaders { get; init; } = new();

    public WebhookOptions Webhooks { get; init; } = new();

    public MemoryOptions Memory { get; init; } = new();

    /// <summary>Largest request body. Default 1 MiB, at most 64 MiB.</summary>
    public int MaxBodyBytes { get; init; } = 1 << 20;

    /// <summary>Each send takes this long before it is answered. Default zero.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary><c>GET /v1/messages/{id}</c> answers. Default true; a vendor without it answers 404.</summary>
    public bool ServeMessages { get; init; } = true;

    /// <summary>Seed of ids and of shares of faults; null, the default, takes a random one.</summary>
    public ulong? Seed { get; init; }
}

/// <summary>What the sandbox remembers at most. Beyond it the oldest gives way and is counted.</summary>
internal sealed record MemoryOptions
{
    /// <summary>Default 200,000; some 300 bytes each.</summary>
    public int MaxLedgerEntries { get; init; } = 200_000;

    /// <summary>Default 200,000; some 120 bytes each.</summary>
    public int MaxRequestEntries { get; init; } = 200_000;

    /// <summary>Messages that can be asked for. Default 100,000; some 500 bytes each.</summary>
    public int MaxMessages { get; init; } = 100_000;

    /// <summary>Attempts to deliver a webhook. Default 200,000.</summary>
    public int MaxWebhookAttempts { get; init; } = 200_000;

    /// <summary>Intents, and idempotency keys, counted one by one. Default 2,000,000; some 40 bytes each.</summary>
    public int MaxTrackedNames { get; init; } = 2_000_000;
}
