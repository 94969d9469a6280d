using System.CommandLine;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Cli;

/// <summary>The options of <c>serve</c> and what they mean.</summary>
internal sealed class ServeOptions
{
    private static readonly SandboxOptions Usual = new();

    private readonly Setting<ListenAddress> _http = new("--http", new ListenAddress(Usual.Http))
    {
        Description = "Where to serve plain HTTP: address:port, a port on 127.0.0.1, or off. Default 127.0.0.1:0.",
        CustomParser = ListenAddress.Parse,
    };

    private readonly Setting<ListenAddress> _https = new("--https", ListenAddress.Off)
    {
        Description = "Where to serve HTTPS with a certificate made at the start. Default off.",
        CustomParser = ListenAddress.Parse,
    };

    private readonly Setting<bool> _http1 = new("--http1-only", false)
    {
        Description = "Do not offer HTTP/2 over HTTPS.",
    };

    private readonly Setting<string[]> _keys = new("--key", [.. Usual.Keys])
    {
        Description = "Accepted API keys, each key or account=key. Default sk_test_sandbox and sk_live_sandbox01.",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Setting<string[]> _sessions = new("--session", [.. Usual.Sessions])
    {
        Description = "WhatsApp sessions that are connected. Default wa_main and wa_second.",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Setting<IdempotencyMode> _mode = Words.Choice<IdempotencyMode>(
        "--idempotency", "How Idempotency-Key is treated.", new()
        {
            ["strict"] = IdempotencyMode.Strict,
            ["success-only"] = IdempotencyMode.SuccessOnly,
            ["no-compare"] = IdempotencyMode.NoCompare,
            ["store-errors"] = IdempotencyMode.StoreErrors,
            ["ignored"] = IdempotencyMode.Ignored,
        });

    private readonly Setting<IdempotencyScope> _scope = Words.Choice<IdempotencyScope>(
        "--idempotency-scope", "Within what an idempotency key is unique.", new()
        {
            ["account"] = IdempotencyScope.Account,
            ["api-key"] = IdempotencyScope.ApiKey,
        });

    private readonly Setting<TimeSpan> _lifetime = Words.Duration(
        "--idempotency-lifetime", "How long idempotency keys are remembered. Default 24h.", Usual.Idempotency.Lifetime);

    private readonly Setting<TimeSpan> _latency = Words.Duration(
        "--latency", "Each send takes this long. Default 0ms.", TimeSpan.Zero);

    private readonly Setting<bool> _noMessages = new("--no-messages", false)
    {
        Description = "GET /v1/messages/{id} answers 404, like a vendor that has none.",
    };

    private readonly Setting<ulong?> _seed = new("--seed", null)
    {
        Description = "Makes ids and shares of faults the same in each run. Default random.",
    };

    private readonly WebhookFlags _webhooks = new();
    private readonly LimitFlags _limits = new();
    private readonly RateHeaderFlags _rateHeaders = new();
    private readonly MemoryFlags _memory = new();

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])
            [_http, _https, _http1, _keys, _sessions, _mode, _scope, _lifetime, _latency, _noMessages, _seed])
        {
            command.Options.Add(option);
        }

        _limits.AddTo(command);
        _rateHeaders.AddTo(command);
        _webhooks.AddTo(command);
        _memory.AddTo(command);
    }

    public SandboxOptions Read(ParseResult parsed) => new()
    {
        Http = _http.Read(parsed).EndPoint,
        Https = _https.Read(parsed).EndPoint,
        Http2 = !_http1.Read(parsed),
        Keys = _keys.Read(parsed),
        Sessions = _sessions.Read(parsed),
        Idempotency = new IdempotencyOptions
        {
            Mode = _mode.Read(parsed),
            Scope = _scope.Read(parsed),
            Lifetime = _lifetime.Read(parsed),
            MaxRecords = _memory.MaxIdempotencyKeys(parsed),
        },
        RateHeaders = _rateHeaders.Read(parsed),
        Limits = _limits.Read(parsed),
        Webhooks = _webhooks.Read(parsed),
        Memory = _memory.Read(parsed),
        MaxBodyBytes = _memory.MaxBodyBytes(parsed),
        Latency = _latency.Read(parsed),
        ServeMessages = !_noMessages.Read(parsed),
        Seed = _seed.Read(parsed),
    };
}
