using System.Security.Cryptography;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Control;
using SendProxy.Sandbox.Faults;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Keys;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Recording;
using SendProxy.Sandbox.Sending;
using SendProxy.Sandbox.Sessions;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Server;

/// <summary>A running sandbox. Many may run in one process: they share nothing.</summary>
internal sealed class SandboxServer : IAsyncDisposable
{
    private int _disposed;
    private readonly CancellationTokenSource _stop = new();
    private readonly MessageStore _messages;
    private readonly IdempotencyStore _idempotency;
    private readonly FaultPicker _picker;
    private readonly FrontDoor _door;
    private WebApplication? _app;
    private SandboxCertificate? _certificate;

    private SandboxServer(SandboxOptions options, TimeProvider time)
    {
        var seed = options.Seed ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        var ids = new IdSource(seed);
        Ledger = new MessageLedger(options.Memory);
        Requests = new RequestLog(options.Memory);
        Faults = new FaultRules(seed);
        Keys = new ApiKeys(options.Keys);
        Limits = new LimitGate(options.Limits);
        Sessions = new SessionStore(options.Sessions, time);
        Webhooks = new WebhookSender(options.Webhooks, options.Memory.MaxWebhookAttempts, time);
        Life = new MessageLife(Webhooks, options.Webhooks, ids);
        _messages = new MessageStore(options.Memory.MaxMessages);
        _idempotency = new IdempotencyStore(options.Idempotency, time);
        Events = new EventEmission(Webhooks, _messages, ids, time);

        var clock = new Clock(time, _stop.Token);
        _picker = new FaultPicker(Faults);
        var writer = new AnswerWriter(options.RateHeaders, clock);
        var acceptance = new Acceptance(Ledger, _messages, Sessions, Life, Limits, ids);
        var sends = new SendEndpoint(options, _idempotency, _picker, acceptance, writer, clock);
        var lookups = new LookupEndpoint(options, _messages, Sessions, Life);
        var control = new ControlDoor(_stop.Token);
        control.MapRecords(Ledger, Requests);
        control.MapFaults(Faults);
        control.MapWebhooks(Webhooks, Events);
        control.MapVendor(this);
        var api = new ApiDoor(Keys, Limits, _picker, sends, lookups, writer);
        _door = new FrontDoor(Requests, control, api, writer, ids, clock);
    }

    /// <summary>Where plain HTTP is served; null when it is not.</summary>
    public Uri? HttpAddress { get; private set; }

    /// <summary>Where HTTPS is served; null when it is not.</summary>
    public Uri? HttpsAddress { get; private set; }

    /// <summary>What a client of <see cref="HttpsAddress"/> must trust, in PEM; null without HTTPS.</summary>
    public string? AuthorityPem => _certificate?.AuthorityPem;

    /// <summary>Every message that was really sent.</summary>
    public MessageLedger Ledger { get; }

    /// <summary>Every request that arrived.</summary>
    public RequestLog Requests { get; }

    public FaultRules Faults { get; }

    public ApiKeys Keys { get; }

    public LimitGate Limits { get; }

    public SessionStore Sessions { get; }

    /// <summary>The target of events and the attempts to deliver them.</summary>
    public WebhookSender Webhooks { get; }

    /// <summary>Makes events on demand.</summary>
    public EventEmission Events { get; }

    /// <summary>Reports what becomes of messages and sessions.</summary>
    public MessageLife Life { get; }

    /// <summary>Starts a sandbox; it listens when this ends.</summary>
    /// <exception cref="IOException">An address is in use.</exception>
    /// <exception cref="FormatException">The webhook secret does not fit the signature form.</exception>
    public static async Task<SandboxServer> StartAsync(
        SandboxOptions options, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        var server = new SandboxServer(options, time ?? TimeProvider.System);
        try
        {
            await server.ListenAsync(options, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Forgets messages, requests, events, idempotency keys and faults. Keys, limits, sessions stay.</summary>
    public void Reset()
    {
        Ledger.Clear();
        Requests.Clear();
        Faults.Clear();
        Webhooks.Clear();
        _messages.Clear();
        _idempotency.Clear();
        _picker.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        await _stop.CancelAsync();
        if (_app is not null) { await _app.DisposeAsync(); }
        await Webhooks.DisposeAsync();
        _certificate?.Dispose();
        _stop.Dispose();
    }

    private async Task ListenAsync(SandboxOptions options, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, options));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.Zero);
        _app = builder.Build();
        _app.Run(_door.HandleAsync);
        await _app.StartAsync(cancellationToken);
        foreach (var address in _app.Urls.Select(url => new Uri(url)))
        {
            if (address.Scheme == Uri.UriSchemeHttps) { HttpsAddress = address; } else { HttpAddress = address; }
        }
    }

    private void Configure(KestrelServerOptions kestrel, SandboxOptions options)
    {
        kestrel.AddServerHeader = false;
        // BodyReader has its own bound and answers in the API's form; slow clients are part of some tests.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        if (options.Http is { } http) { kestrel.Listen(http, o => o.Protocols = HttpProtocols.Http1); }
        if (options.Https is not { } https) { return; }
        _certificate = SandboxCertificate.Make();
        kestrel.Listen(https, listen =>
        {
            listen.Protocols = options.Http2 ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
            listen.UseHttps(_certificate.Server);
        });
    }
}
