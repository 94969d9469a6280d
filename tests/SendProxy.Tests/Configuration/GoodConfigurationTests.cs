using SendProxy.Configuration;
using SendProxy.Tests.Tidy;
using SendProxy.Upstreams;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Configuration;

public sealed class GoodConfigurationTests : IDisposable
{
    private readonly SettingsFile _file = new();

    [Fact]
    public void Load_ShortForm_TakesTheRestFromThePreset()
    {
        var settings = _file.Load("version: 1\n" + SettingsFile.Upstreams + "\nlimits: { plan: { rate: 100/s } }");

        var upstream = settings.Upstreams["sendapi"].Options;
        Assert.Equal("Bearer {secret}", upstream.Credential.Format);
        Assert.Equal("/id", upstream.MessageId!.Text);
        Assert.Equal(Meaning.Quota, upstream.Classify[0].Means);
        Assert.Equal(["sms", "whatsapp", "email", "messages", "sessions"], settings.Routes.Select(r => r.Name));
        Assert.All(settings.Routes, r => Assert.Equal(["plan"], r.Limits));
    }

    [Fact]
    public void Load_OwnSetting_GoesBeforeThePreset()
    {
        var settings = _file.Load("version: 1\nupstreams: { sendapi: { preset: sendapi, address: 'https://a.example', "
            + "credential: { file: key, header: X-Key }, idempotency: { lifetime: 1h } } }");

        var upstream = settings.Upstreams["sendapi"].Options;
        Assert.Equal(("X-Key", "Bearer {secret}"), (upstream.Credential.Header, upstream.Credential.Format));
        Assert.Equal((TimeSpan.FromHours(1), CarrierKind.Header), (upstream.Idempotency.Lifetime, upstream.Idempotency.Kind));
    }

    [Fact]
    public void Load_OwnPresetFile_WorksLikeABuiltIn()
    {
        _file.Write("preset: 1\nname: mine\nupstream: { credential: { header: X-Key, format: '{secret}' } }\n"
            + "routes: [{ name: all, match: { methods: [GET, POST], prefix: / } }]", "mine.yaml");

        var settings = _file.Load("version: 1\nupstreams: { mine: { preset: ./mine.yaml, address: 'https://a.example', credential: { file: key } } }");

        Assert.Equal("X-Key", settings.Upstreams["mine"].Options.Credential.Header);
        Assert.Equal("all", Assert.Single(settings.Routes).Name);
        Assert.Contains(settings.Files, f => f.EndsWith("mine.yaml", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_Variables_AreSubstituted()
    {
        _file.Variables["API"] = "https://env.example";
        File.WriteAllText(Path.Combine(_file.Folder, "rate"), "7/s\n");

        var settings = _file.Load("version: 1\nupstreams: { sendapi: { preset: sendapi, address: '${API}', credential: { file: key, hosts: [env.example] } } }\n"
            + "limits: { plan: { rate: '${file:rate}', maxWait: '${WAIT:-3s}' } }");

        Assert.Equal("env.example", settings.Upstreams["sendapi"].Options.Address.Host);
        Assert.Equal((7, TimeSpan.FromSeconds(3)), (settings.Limits["plan"].Rate!.Value.Permits, settings.Limits["plan"].MaxWait));
    }

    [Theory]
    [InlineData("")]
    [InlineData("journal: { minimum: fsync }")]
    public void Load_DefaultPath_IsRelativeToTheFileNotToTheProcess(string journal)
    {
        var settings = _file.Load("version: 1\n" + SettingsFile.Upstreams + "\n" + journal);

        Assert.Equal(Path.GetFullPath("../data/sendproxy.db", _file.Folder), settings.Journal.Path);
    }

    [Fact]
    public void Schema_File_IsWhatTheSettingsSay() =>
        Assert.Equal(SourceTree.Read("config/proxy.schema.json"), SchemaWriter.Write(ProxySettings.Describe()));

    [Fact]
    public void Reference_Page_IsWhatTheSettingsSay() =>
        Assert.Equal(SourceTree.Read("docs/CONFIGURATION.md"), ReferenceWriter.Write(ProxySettings.Describe()));

    [Fact]
    public void ShippedFile_WithoutAddress_SaysWhatToFillIn()
    {
        var errors = _file.Errors(SourceTree.Read("config/proxy.yaml"));

        var error = Assert.Single(errors);
        Assert.Contains("upstreams.sendapi.address: is required; write for example address: https://", error, StringComparison.Ordinal);
    }

    [Fact]
    public void ShippedFile_WithAddress_IsGood() => Assert.Empty(_file.Errors(
        SourceTree.Read("config/proxy.yaml").Replace("address: \"\"", "address: https://api.sendapi.example", StringComparison.Ordinal)));

    public void Dispose() => _file.Dispose();
}
