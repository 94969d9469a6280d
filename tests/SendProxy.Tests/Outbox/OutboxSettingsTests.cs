using SendProxy.Configuration;

namespace SendProxy.Tests.Outbox;

public sealed class OutboxSettingsTests : IDisposable
{
    private const string Queue = "routes: [{ name: sms, upstream: sendapi, match: { path: /v1/sms/send }, mode: queue }]";
    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-outbox-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("", false)]
    [InlineData("journal: { path: a.db }", true)]
    [InlineData("journal: { path: a.db }\nroles: [egress]", false)]
    [InlineData("journal: { path: a.db }\noutbox: { enabled: false }", false)]
    [InlineData("journal: { kind: none }", false)]
    [InlineData(Queue, true)]
    public void UsesOutbox_FollowsWhatIsWritten(string more, bool uses)
    {
        var settings = Load(more);

        Assert.Equal(uses, settings.UsesOutbox);
        Assert.Equal(uses, settings is { SendsOutbox: true, NeedsJournal: true });
    }

    [Theory]
    [InlineData("journal: { kind: none }\n" + Queue, "write journal:")]
    [InlineData("journal: { kind: none }\noutbox: { concurrency: 4 }", "write journal:")]
    [InlineData("outbox: { enabled: false }\n" + Queue, "enable it")]
    [InlineData("roles: [egress]\n" + Queue, "add worker")]
    [InlineData("outbox: { lane: bulky }", "did you mean bulk?")]
    [InlineData("routes: [{ name: sms, upstream: sendapi, match: { path: /v1/sms/send, methods: [POST, GET] }, mode: queue }]", "GET")]
    [InlineData("routes: [{ name: sms, upstream: sendapi, match: { path: /v1/sms/send }, mode: queue, whenBusy: queue }]", "means nothing together with mode")]
    [InlineData("outbox: { retry: { baseDelay: 1h, maxDelay: 1s } }", "is longer than maxDelay")]
    public void Load_WhatCannotWork_IsRefusedWithARemedy(string more, string remedy) =>
        Assert.Contains(remedy, Assert.Throws<SettingsException>(() => Load(more)).Message, StringComparison.Ordinal);

    private ProxySettings Load(string more)
    {
        var path = Path.Combine(_folder, "proxy.yaml");
        File.WriteAllText(path, $$"""
            version: 1
            upstreams: { sendapi: { preset: sendapi, address: "https://api.sendapi.example", credential: { file: key } } }
            {{more}}
            """);
        return ProxySettings.Load(path, _ => null);
    }
}
