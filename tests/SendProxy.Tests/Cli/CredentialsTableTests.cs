using System.Text.Json;
using SendProxy.Admin;
using SendProxy.Cli;

namespace SendProxy.Tests.Cli;

public class CredentialsTableTests
{
    [Fact]
    public void Text_OneKey_IsAlignedAndSaysWhy()
    {
        var lines = Text("""
            {"scope":"process","credentials":[{"upstream":"sendapi","slot":"gone","fingerprint":"0a1b2c3d","from":"file /k","state":"not mounted",
             "loadedAt":null,"lastAcceptedAt":"2026-11-24T08:00:00Z","answers":12,"rejected":0,"running":0,"restsUntil":null,"safeToRevoke":true,"why":"because"}]}
            """).Split('\n');

        Assert.Equal(lines[0].IndexOf("FINGERPRINT", StringComparison.Ordinal), lines[1].IndexOf("0a1b2c3d", StringComparison.Ordinal));
        Assert.Contains("yes: because", lines[1], StringComparison.Ordinal);
        Assert.Contains("this process's own", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Text_NoKeys_SaysSo() => Assert.Equal("This proxy has no upstream keys.", Text("""{"scope":"process","credentials":[]}"""));

    private static string Text(string json) => CredentialsCommand.Text(JsonSerializer.Deserialize(json, AdminJson.Default.CredentialsView)!);
}
