namespace SendProxy.Tests.Configuration;

// Every bad configuration gives a message that a stranger can act on: where, what, what to do. None gives a stack trace.
public sealed class BadConfigurationTests : IDisposable
{
    private const string Good = "version: 1\n" + SettingsFile.Upstreams + "\n";
    private readonly SettingsFile _file = new();

    public static TheoryData<string, string> Cases => new()
    {
        { "", "must be a YAML mapping that starts with version: 1" },
        { "- a\n- b\n", "must be a YAML mapping" },
        { "version: 1\n---\nversion: 1\n", "several YAML documents" },
        { "version: 1\nupstreams: {", "is not valid YAML here" },
        { "version: 1\nversion: 1\n", "a key stands twice" },
        { SettingsFile.Upstreams, "version: is required; write version: 1" },
        { "version: 2\n" + SettingsFile.Upstreams, "proxy.yaml:1:10: version: this is SendProxy of version: 1" },
        { "version: one\n" + SettingsFile.Upstreams, "version: \"one\" does not fit" },
        { "version: 1", "upstreams: is required for the role egress" },
        { Good + "limit: {}", "proxy.yaml:3:1: limit: unknown setting; did you mean limits?" },
        { Good + "lanes: { otp: { urgency: 0-2 } }", "lanes: must give each urgency from 0 to 7 to one lane" },
        { Good + "roles: [egres]", "\"egres\" is no role; there are egress, webhooks and worker" },
        { Good + "roles: []", "roles: must name at least one" },
        { Good + "roles: { egress: true }", "roles: must be a list" },
        { Good + "listen: { egress: ['localhost'] }", "is no address to listen on; write 127.0.0.1:4750" },
        { Good + "listen: { egress: ['127.0.0.1'] }", "is no address to listen on" },
        { Good + "listen: { egress: ['0.0.0.0:4750'] }", "can be reached from other machines" },
        { Good + "listen: { egress: ['127.0.0.1:4751'], webhooks: ['127.0.0.1:4751'] }", "127.0.0.1:4751 is used twice" },
        { Good + "guard: { allowRemote: true }", "guard.allowRemote: needs callerToken" },
        { Good + "guard: { allowRemote: yes }", "guard.allowRemote: \"yes\" does not fit; write true or false" },
        { Good + "guard: { requireHeader: X-SendProxy }", "must have the form \"Name: value\"" },
        { Good + "process: { maxInFlight: 0 }", "\"0\" does not fit; write a whole number from 1 to 100000" },
        { Good + "process: { maxBufferedBytes: 64MB }", "\"64MB\" does not fit; write a whole number and a unit: 512B, 64KiB" },
        { Good + "limits: { plan: { rate: 100 } }", "\"100\" does not fit; write a number and a period: 100/s" },
        { Good + "limits: { plan: {} }", "limits.plan.rate: is required, or quota, or concurrent; write for example rate: 100/s" },
        { Good + "limits: { plan: { rate: 100/s, burst: 5 } }", "burst: means something only with counts: bucket or auto" },
        { Good + "limits: { plan: { rate: 100/s, counts: auto, learn: false } }", "limits.plan.learn: must be true or observe with counts: auto" },
        { Good + "limits: { plan: { rate: 100/s, counts: auto, per: /to } }", "limits.plan.counts: cannot be auto with per" },
        { Good + "limits: { plan: { quota: 5, counts: auto } }", "limits.plan.counts: means something only with rate" },
        { Good + "limits: { plan: { concurrent: 5, counts: auto } }", "limits.plan.counts: means something only with rate" },
        { Good + "limits: { plan: { rate: 100/s, maxWait: 5 } }", "limits.plan.maxWait: \"5\" does not fit; write a whole number and a unit" },
        { Good + "limits: { plan: { rate: 100/s, counts: windows } }", "write one of: window, bucket, auto" },
        { Good + "limits: { 'my plan': { rate: 100/s } }", "a name takes 1 to 64 letters, digits" },
        { Good + "routes: [{ name: a, upstream: sendapi, match: { path: /a } }, { name: a, upstream: sendapi, match: { path: /b } }]", "two routes are named \"a\"" },
        { Good + "routes: [{ name: a, upstream: sendapi, match: { path: /a } }, { name: b, upstream: sendapi, match: { path: /a } }]", "matches the same requests as a route before it" },
        { Good + "routes: [{ name: a, upstream: sendap, match: { path: /a } }]", "is no name of upstreams; did you mean sendapi?" },
        { Good + "routes: [{ name: a, upstream: sendapi, limits: [plan], match: { path: /a } }]", "\"plan\" is no name of limits" },
        { Good + "routes: [{ upstream: sendapi, match: { path: /a } }]", "routes[0].name: is required" },
        { Good + "routes: [{ name: a, upstream: sendapi, match: { path: /a, prefix: /b/ } }]", "give either path or prefix" },
        { Good + "routes: [{ name: a, upstream: sendapi, match: { path: a } }]", "must start with /" },
        { Good + "routes: [{ name: a, upstream: sendapi, match: { path: /a/../b } }]", "in the form that requests may have" },
        { Good + "routes: [{ name: a, upstream: sendapi, match: { path: /a, methods: [SEND] } }]", "must be of GET, HEAD, POST" },
        { Good + "routes: [{ name: a, upstream: sendapi, match: { path: /a }, maxBody: 1GiB }]", "\"1GiB\" does not fit" },
        { Good + "routes: [{ name: a, upstream: sendapi, match: { path: /a }, lane: fast }]", "is no name of lanes" },
        { Route("recipients: { allow: ['+49'] }"), "recipients.allow: needs recipient on the route" },
        { Route("maxStreamedBody: 30MB"), "maxStreamedBody: \"30MB\" does not fit" },
        { Route("maxBody: 2MiB, maxStreamedBody: 1MiB"), "maxStreamedBody: must not be smaller than maxBody; 0B streams nothing" },
        { Route("recipient: /to, recipients: { perDay: 5 }, maxStreamedBody: 2MiB"), "maxStreamedBody: means nothing where recipients is set" },
        { Route("idempotency: { derive: content }, maxStreamedBody: 2MiB"), "maxStreamedBody: means nothing where idempotency.derive is set" },
        { Route("recipient: to"), "routes[0].recipient: \"to\" is no JSON pointer" },
        { Route("recipient: /to, recipients: {}"), "recipients.allow: says nothing: give allow, perRecipient, perPrefix or perDay" },
        { Route("recipient: /to, recipients: { allow: ['49'] }"), "\"49\" is neither the beginning of a number (\"+49\") nor a domain" },
        { Route("recipient: /to, recipients: { allow: ['@example'] }"), "\"@example\" is neither" },
        { Route("recipient: /to, recipients: { perRecipient: 10 }"), "recipients.perRecipient: \"10\" does not fit; write a number and a period" },
        { Route("recipient: /to, recipients: { perPrefix: often }"), "recipients.perPrefix: \"often\" does not fit" },
        { Route("recipient: /to, recipients: { perDay: 100/d }"), "recipients.perDay: \"100/d\" does not fit; write a whole number" },
        { Route("recipient: /to, recipients: { perDay: 1, maxRecipients: 1 }"), "recipients.maxRecipients: \"1\" does not fit; write a whole number from 100" },
        { Good + "listen: { socketMode: '0660x' }", "listen.socketMode: is longer than 4 characters" },
        { Good + "listen: { socketMode: '0066' }", "listen.socketMode: \"0066\" does not fit; write an octal mode from 0600 to 0777" },
        { Good + "listen: { socketMode: '1660' }", "listen.socketMode: \"1660\" does not fit" },
        { Good + "listen: { socketMode: '0688' }", "listen.socketMode: \"0688\" does not fit" },
        { Good + "guard: { allowSecrets: maybe }", "guard.allowSecrets: \"maybe\" does not fit; write true or false" },
        { Good + "listen: { headersTimeout: 10 }", "listen.headersTimeout: \"10\" does not fit" },
        { Good + "routes: sms", "routes: must be a list of at most" },
        { Good + "routes: [sms]", "routes[0]: must be a mapping" },
        { Upstream("preset: sendapy"), "there is no preset \"sendapy\"; did you mean sendapi?" },
        { Upstream("preset: ./none.yaml"), "this preset file cannot be read" },
        { Upstream("preset: sendapi", address: "http://api.sendapi.example"), "address: must be https: the key would cross the network in the clear" },
        { Upstream("preset: sendapi", address: "http://127.0.0.1:8080"), "write allowInsecureLoopback: true beside it, under upstreams.sendapi" },
        { Upstream("preset: sendapi", address: "api.sendapi.example"), "is no address of this form; write for example https://" },
        { Upstream("preset: sendapi", address: "https://user:pw@api.sendapi.example"), "without a user or password" },
        { Upstream("preset: sendapi", address: "https://api.sendapi.example/v1"), "takes no path" },
        { "version: 1\nupstreams: { sendapi: { preset: sendapi, credential: { file: key } } }", "address: is required; write for example address: https://" },
        { "version: 1\nupstreams: { sendapi: { preset: sendapi, address: 'https://a.example' } }", "no secret is named; give one of file, directory or env" },
        { "version: 1\nupstreams: { sendapi: { preset: sendapi, address: 'https://a.example', credential: { file: a, env: B } } }", "several sources are named" },
        { "version: 1\nupstreams: { sendapi: { preset: sendapi, address: 'https://a.example', credential: sk_live_planted0123456789 } }", "credential: looks like a secret itself (hidden)" },
        { "version: 1\nupstreams: { sendapi: { preset: sendapi, address: '${API:-https://a.example}', credential: { file: key } } }", "is required because address comes from the environment" },
        { "version: 1\nupstreams: { sendapi: { preset: sendapi, address: '${API}', credential: { file: key } } }", "the environment variable API is not set" },
        { "version: 1\nupstreams: { sendapi: { preset: sendapi, address: '${API', credential: { file: key } } }", "a ${ has no closing }" },
        { "version: 1\nupstreams: { sendapi: { preset: sendapi, address: '${file:nowhere}', credential: { file: key } } }", "cannot be read; it must exist" },
        { Credential("hosts: ['*.example']"), "is no host; write host, host:port" },
        { "version: 1\nupstreams: { sendapi: { preset: sendapi, address: '${API:-https://evil.example}', credential: { file: key, hosts: [api.sendapi.example] } } }", "does not list the address https://evil.example:443" },
        { "version: 1\nupstreams: { sendapi: { preset: sendapi, address: '${API:-http://127.0.0.1:1}', credential: { file: key } } }", "is on this machine; if that is meant" },
        { Credential("hosts: [other.example]"), "does not list the address https://a.example:443" },
        { Credential("nextShare: 20"), "\"20\" does not fit; write a percentage" },
        { Credential("pattern: '('"), "write a regular expression" },
        { Credential("format: 'Bearer x'"), "must contain {secret}" },
        { Credential("header: 'X Key'"), "must be a header name" },
        { Credential("allowTestkey: true"), "unknown setting; did you mean allowTestKey?" },
        { Upstream("preset: sendapi, messageId: id"), "a JSON pointer (RFC 6901)" },
        { Upstream("preset: sendapi, classify: [{ status: 429, body: { error.code: x }, means: quota }]"), "is no JSON pointer" },
        { Upstream("preset: sendapi, classify: [{ status: 429, means: later }]"), "write one of: permanent, retry" },
        { Upstream("preset: sendapi, timeouts: { attempt: 40s }"), "attempt: must not be longer than total" },
        { Upstream("preset: sendapi, timeouts: { total: 30 }"), "\"30\" does not fit; write a whole number and a unit" },
        { Upstream("preset: sendapi, retry: { attempts: 11 }"), "write a whole number from 1 to 10" },
        { Upstream("preset: sendapi, retry: { baseDelay: 1m, maxDelay: 1s }"), "baseDelay: must not be longer than maxDelay" },
        { Upstream("preset: sendapi, idempotency: { name: 'a b' }"), "idempotency.name: must be a header name" },
        { Upstream("preset: sendapi, idempotency: { carrier: cookie }"), "write one of: none, header, body" },
        { Upstream("preset: sendapi, idempotency: { carrier: body }"), "idempotency.pointer: is required with carrier: body" },
        { Upstream("preset: sendapi, idempotency: { pointer: /a }"), "idempotency.pointer: means something only with carrier: body" },
        { Upstream("preset: [sendapi]"), "must be a single value" },
        { Good + "fleet: { redis: { connection: 'redis:6379' } }", "journal.sealKeys: is required with fleet.redis" },
        { Good + "fleet: { redis: { } }", "fleet.redis.connection: is required" },
        { Good + "fleet: { redis: { connection: 'redis:6379,password=sk_live_planted0123456789' } }", "has a password in it" },
        { Good + "fleet: { redis: { connection: 'ssl=sk_live_planted0123456789' } }", "is not in StackExchange.Redis' syntax" },
        { Good + "fleet: { redis: { connection: 'ssl=true' } }", "names no host" },
        { Good + "fleet: { redis: { connection: 'redis:6379', password: { } } }", "password.file: no secret is named" },
        { Good + "fleet: { redis: { connection: 'redis:6379', keyPrefix: 'a b' } }", "keyPrefix: takes letters, digits" },
        { Good + "fleet: { redis: { connection: 'redis:6379', callTimeout: 50 } }", "callTimeout: \"50\" does not fit; write a whole number and a unit" },
        { Good + "fleet: { size: 0 }", "fleet.size" },
        { Good + "limits: { plan: { rate: 1/s, quota: 5 } }", "give one of rate, quota, concurrent" },
        { Good + "limits: { plan: { quota: 5, zone: Mars/Olympus } }", "is no time zone here; write Europe/Berlin or UTC" },
        { Good + "limits: { plan: { quota: 5, alertAt: [120%] } }", "takes percentages up to 100%" },
        { Good + "limits: { plan: { rate: 1/s, period: calendar-day } }", "limits.plan.period: means something only with quota" },
        { Good + "limits: { plan: { quota: 5, counts: bucket } }", "limits.plan.counts: means something only with rate" },
        { Good + "limits: { plan: { concurrent: 5, per: /to } }", "limits.plan.per: means something only with rate" },
        { Good + "limits: { plan: { rate: 1/s, maxPer: 5 } }", "limits.plan.maxPer: means something only with per" },
        { Good + "limits: { plan: { quota: 0 } }", "limits.plan.quota: is at least 1" },
        { Good + "limits: { plan: { concurrent: 0 } }", "limits.plan.concurrent: is at least 1" },
        { Good + "lanes: { a: { urgency: 0-9 }, b: { urgency: 3-7 } }", "lanes.a.urgency: is a number from 0 to 7 or two of them" },
        { Good + "lanes: { a: { urgency: 0-2, share: 40% }, b: { urgency: 3-7, share: 40% } }", "together at most 50%" },
        { Good + "routes: [{ name: a, upstream: sendapi, match: { path: /a }, cost: recipients }]", "cost: needs recipient on the route" },
        { Good + "shutdown: { drain: 1h }", "shutdown.drain: \"1h\" does not fit" },
        { Good + "telemetry: { log: { level: trace } }", "write one of: info, debug, warn, error" },
        { Good + "telemetry: { log: { successSample: 0.5 } }", "\"0.5\" does not fit; write a percentage" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_BadConfiguration_SaysWhereWhatAndWhatToDo(string yaml, string expected)
    {
        var errors = _file.Errors(yaml);

        Assert.Contains(errors, e => e.Contains(expected, StringComparison.Ordinal));
        Assert.All(errors, e => Assert.DoesNotContain("Exception", e, StringComparison.Ordinal));
        Assert.All(errors, e => Assert.DoesNotContain(" at SendProxy", e, StringComparison.Ordinal));
        Assert.All(errors, e => Assert.DoesNotContain(SettingsFile.Key, e, StringComparison.Ordinal));
    }

    [Fact]
    public void Load_SeveralErrors_TellsAllAtOnce()
    {
        var errors = _file.Errors(Good + "limit: {}\nprocess: { maxInFlight: 0 }\nshutdown: { drain: 5 }");

        Assert.Equal(3, errors.Length);
    }

    [Fact]
    public void Load_NoFile_SaysSo()
    {
        var missing = Assert.Throws<SendProxy.Configuration.SettingsException>(
            () => ProxySettings.Load(Path.Combine(_file.Folder, "none.yaml"), _ => null));

        Assert.Contains("there is no such file; name yours with --config", missing.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _file.Dispose();

    private static string Upstream(string settings, string address = "https://api.sendapi.example") =>
        $"version: 1\nupstreams: {{ sendapi: {{ {settings}, address: '{address}', credential: {{ file: key }} }} }}";

    private static string Route(string settings) => $"{Good}routes: [{{ name: a, upstream: sendapi, match: {{ path: /a }}, {settings} }}]";

    private static string Credential(string setting) =>
        $"version: 1\nupstreams: {{ sendapi: {{ preset: sendapi, address: 'https://a.example', credential: {{ file: key, {setting} }} }} }}";
}
