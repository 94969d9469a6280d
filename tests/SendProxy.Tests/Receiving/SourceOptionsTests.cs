using SendProxy.Configuration;

namespace SendProxy.Tests.Receiving;

/// <summary>What a source's settings must hold.</summary>
public sealed class SourceOptionsTests
{
    [Theory]
    [InlineData("{ secrets: [{ env: X }] }", "verify: is required")]
    [InlineData("{ preset: nobody, secrets: [{ env: X }] }", "there is no preset")]
    [InlineData("{ preset: sendapi }", "secrets: is required")]
    [InlineData("{ preset: sendapi, secrets: [] }", "secrets: is required")]
    [InlineData("{ preset: twilio, secrets: [{ env: X }] }", "publicUrl: is required")]
    [InlineData("{ preset: twilio, secrets: [{ env: X }], publicUrl: \"https://x.example/a?b=c\" }", "without a query")]
    [InlineData("{ verify: none }", "allowUnverified: true")]
    [InlineData("{ preset: sendapi, verify: none, secrets: [{ env: X }] }", "allowUnverified: true")]
    [InlineData("{ preset: sendapi, secrets: [{ env: X }], tolerance: 25h }", "half of dedupe.window")]
    [InlineData("{ preset: sendapi, secrets: [{ env: X }], tolerence: 5m }", "did you mean tolerance?")]
    [InlineData("{ secrets: [{ env: X }], verify: { scheme: hmac-md5, signature: { headers: [X-S] } } }", "one of: hmac-sha256")]
    [InlineData("{ secrets: [{ env: X }], verify: { content: \"{time}{body}\", signature: { headers: [X-S] } } }", "may have {id}")]
    [InlineData("{ secrets: [{ env: X }], verify: { content: \"{timestamp}\", signature: { headers: [X-S] } } }", "must have {body} once")]
    [InlineData("{ secrets: [{ env: X }], verify: { content: \"{timestamp}.{body}\", signature: { headers: [X-S] } } }", "timestamp names neither")]
    [InlineData("{ secrets: [{ env: X }], verify: { content: \"{id}.{body}\", signature: { headers: [X-S] } } }", "id names no headers")]
    [InlineData("{ secrets: [{ env: X }], verify: { } }", "signature.headers: is required")]
    public void Read_Wrong_SaysWhat(string yaml, string message)
    {
        var refused = Assert.Throws<SettingsException>(() => Recipes.Read(yaml));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_EveryPresetWithASource_IsUsable()
    {
        foreach (var name in Presets.Names.Where(n => Presets.Embedded(n)!.Contains("\nsource:", StringComparison.Ordinal)))
        {
            var source = Recipes.Read($"{{ preset: {name}, secrets: [{{ env: X }}], publicUrl: \"https://x.example/\" }}");

            Assert.NotNull(source.Recipe);
        }
    }

    [Fact]
    public void Read_OverThePreset_TheOperatorsWordCounts()
    {
        var source = Recipes.Read("{ preset: sendapi, secrets: [{ env: X }], tolerance: 1m, dedupe: { window: 2h }, acknowledge: { within: 1s } }");

        Assert.Equal(TimeSpan.FromMinutes(1), source.Tolerance);
        Assert.Equal(TimeSpan.FromHours(2), source.Dedupe.Window);
        Assert.Equal("/id", source.Dedupe.Id!.Text);
        Assert.Equal((200, TimeSpan.FromSeconds(1), 503), (source.Acknowledge.Status, source.Acknowledge.Within, source.Acknowledge.OverloadStatus));
    }
}
