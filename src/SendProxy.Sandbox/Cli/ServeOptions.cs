using System.CommandLine;
using System.Net;
using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Cli;

/// <summary>The options of <c>serve</c> and what they mean.</summary>
internal sealed class ServeOptions
{
    private static readonly SandboxOptions Usual = new();

    private readonly Option<IPEndPoint?> _http = new("--http")
    {
        Description = "Where to serve plain HTTP: address:port, a port on 127.0.0.1, or off. Default 127.0.0.1:0.",
        CustomParser = Addresses.Parse,
        DefaultValueFactory = _ => Usual.Http,
    };

    private readonly Option<IPEndPoint?> _https = new("--https")
    {
        Description = "Where to serve HTTPS with a certificate made at the start. Default off.",
        CustomParser = Addresses.Parse,
    };

    private readonly Option<bool> _http1 = new("--http1-only") { Description = "Do not offer HTTP/2 over HTTPS." };

    private readonly Option<string[]> _keys = new("--key")
    {
        Description = "Accepted API keys, each key or account=key. Default sk_test_sandbox and sk_live_sandbox.",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [.. Usual.Keys],
    };

    private readonly Option<string[]> _sessions = new("--session")
    {
        Description = "WhatsApp sessions that are connected. Default wa_main and wa_second.",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [.. Usual.Sessions],
    };

    private readonly Option<IdempotencyMode> _mode = Words.Choice<IdempotencyMode>(
        "--idempotency", "How Idempotency-Key is treated.", new()
        {
            ["strict"] = IdempotencyMode.Strict,
            ["success-only"] = IdempotencyMode.SuccessOnly,
            ["no-compare"] = IdempotencyMode.NoCompare,
            ["store-errors"] = IdempotencyMode.StoreErrors,
            ["ignored"] = IdempotencyMode.Ignored,
        });

    private readonly Option<IdempotencyScope> _scope = Words.Choice<IdempotencyScope>(
        "--idempotency-scope", "Within what an idempotency key is unique.", new()
        {
            ["account"] = IdempotencyScope.Account,
            ["api-key"] = IdempotencyScope.ApiKey,
        });

    private readonly Option<TimeSpan> _lifetime = Words.Duration(
        "--idempotency-lifetime", "How long idempotency keys are remembered. Default 24h.", Usual.Idempotency.Lifetime);

    private readonly Option<ResetForm> _reset = Words.Choice<ResetForm>(
        "--reset-form", "What X-RateLimit-Reset counts.", new()
        {
            ["seconds"] = ResetForm.Seconds,
            ["unix"] = ResetForm.Unix,
            ["unix-ms"] = ResetForm.UnixMs,
            ["absent"] = ResetForm.Absent,
        });

    private readonly Option<RetryAfterForm> _retryAfter = Words.Choice<RetryAfterForm>(
        "--retry-after", "What Retry-After holds.", new()
        {
            ["seconds"] = RetryAfterForm.Seconds,
            ["http-date"] = RetryAfterForm.HttpDate,
            ["absent"] = RetryAfterForm.Absent,
        });

    private readonly Option<RateHeaderNames> _rateHeaders = Words.Choice<RateHeaderNames>(
        "--rate-headers", "Which headers tell the limit: X-RateLimit-*, RateLimit of the IETF draft, or none.", new()
        {
            ["x-ratelimit"] = RateHeaderNames.XRateLimit,
            ["draft"] = RateHeaderNames.Draft,
            ["none"] = RateHeaderNames.None,
        });

    private readonly Option<TimeSpan> _latency = Words.Duration(
        "--latency", "Each send takes this long. Default 0ms.", TimeSpan.Zero);

    private readonly Option<bool> _noMessages = new("--no-messages")
    {
        Description = "GET /v1/messages/{id} answers 404, like a vendor that has none.",
    };

    private readonly Option<ulong?> _seed = new("--seed")
    {
        Description = "Makes ids and shares of faults the same in each run. Default random.",
    };

    private readonly WebhookFlags _webhooks = new();
    private readonly LimitFlags _limits = new();
    private readonly MemoryFlags _memory = new();

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])
            [_http, _https, _http1, _keys, _sessions, _mode, _scope, _lifetime, _rateHeaders, _reset, _retryAfter,
                _latency, _noMessages, _seed])
        {
            command.Options.Add(option);
        }

        _limits.AddTo(command);
        _webhooks.AddTo(command);
        _memory.AddTo(command);
    }

    public SandboxOptions Read(ParseResult parsed) => new()
    {
        Http = parsed.GetValue(_http),
        Https = parsed.GetValue(_https),
        Http2 = !parsed.GetValue(_http1),
        Keys = parsed.GetValue(_keys)!,
        Sessions = parsed.GetValue(_sessions)!,
        Idempotency = new IdempotencyOptions
        {
            Mode = parsed.GetValue(_mode),
            Scope = parsed.GetValue(_scope),
            Lifetime = parsed.GetValue(_lifetime),
            MaxRecords = _memory.MaxIdempotencyKeys(parsed),
        },
        RateHeaders = new RateHeaderOptions
        {
            Names = parsed.GetValue(_rateHeaders),
            Reset = parsed.GetValue(_reset),
            RetryAfter = parsed.GetValue(_retryAfter),
        },
        Limits = _limits.Read(parsed),
        Webhooks = _webhooks.Read(parsed),
        Memory = _memory.Read(parsed),
        MaxBodyBytes = _memory.MaxBodyBytes(parsed),
        Latency = parsed.GetValue(_latency),
        ServeMessages = !parsed.GetValue(_noMessages),
        Seed = parsed.GetValue(_seed),
    };
}
