using System.Text;
using SendProxy.Configuration;
using SendProxy.Secrets;

namespace SendProxy.Tests.Issues;

// What stands wrongly in a credential's file is named as what it is; what a preset does not know is used with a warning.
public sealed class CredentialFilesTests : IDisposable
{
    private const string Key = "sk_live_4f9Kq27XbT1mZ0c";
    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-issue-").FullName;

    [Theory]
    [InlineData("sendapi", Key, SecretState.Ok, false)]
    [InlineData("sendapi", "sk_live_x", SecretState.Ok, true)]
    [InlineData("sendapi", "another-vendors-key", SecretState.Ok, true)]
    [InlineData("sendapi", "\"" + Key + "\"", SecretState.Quoted, null)]
    [InlineData("sendapi", "'" + Key + "'\n", SecretState.Quoted, null)]
    [InlineData("sendapi", "Bearer " + Key, SecretState.WithScheme, null)]
    [InlineData("sendapi", " " + Key, SecretState.WithSpace, null)]
    [InlineData("sendapi", Key + "\nsecond line", SecretState.SeveralLines, null)]
    [InlineData("sendapi", "\n" + Key, SecretState.SeveralLines, null)]
    [InlineData("sendapi", "\uFEFF" + Key, SecretState.Ok, false)]
    [InlineData("sendapi", "sk_test_4f9Kq27XbT1mZ0c", SecretState.TestKey, null)]
    [InlineData("slack", "xoxe.xoxb-1-MS0yLTEyMzQ1Njc4OTAxMjM0NTY3", SecretState.Ok, false)]
    [InlineData("slack", "xoxb-123456789012-1234567890123-AbCdEfGhIjKl12", SecretState.Ok, false)]
    [InlineData("stripe", "sk_org_live_4f9Kq27XbT1mZ0c", SecretState.Ok, false)]
    [InlineData("stripe", "rk_live_4f9Kq27XbT1mZ0c", SecretState.Ok, false)]
    [InlineData("twilio", "AC0123456789abcdef0123456789abcdef:any token", SecretState.Ok, false)]
    public void File_Content_IsNamedAsWhatItIs(string preset, string content, object state, bool? differs)
    {
        var (_, source, format) = Assert.Single(Load($"preset: {preset}", content).Secrets());

        var reading = source.Read()[0];
        var judged = reading.Text is null ? reading.State : format.Judge(reading.Text);

        Assert.Equal((SecretState)state, judged);
        if (differs is { } expected)
        {
            var difference = format.Difference(reading.Text!);
            Assert.Equal(expected, difference is not null);
            Assert.DoesNotContain(content.Trim(), difference ?? "", StringComparison.Ordinal);
        }
    }

    [Fact]
    public void File_InUtf16_IsNamed()
    {
        var path = Path.Combine(_folder, "utf16");
        File.WriteAllText(path, Key, Encoding.Unicode);

        Assert.Equal(SecretState.Utf16, new SecretFile(path).Read()[0].State);
    }

    [Fact]
    public void Difference_SaysPatternLengthAndBeginning()
    {
        var (_, source, format) = Assert.Single(Load("preset: sendapi", "another-vendors-key").Secrets());

        Assert.Equal("it does not match the pattern sk_live_[A-Za-z0-9_-]{8,}: it has 19 characters, and does not begin with sk_live_", format.Difference(source.Read()[0].Text!));
    }

    [Fact]
    public void File_NotInTheOperatorsPattern_IsRefused()
    {
        var (_, source, format) = Assert.Single(Load("preset: sendapi", "another-vendors-key", "pattern: 'ours_[a-z]{8,}'").Secrets());

        Assert.Equal(SecretState.Malformed, format.Judge(source.Read()[0].Text!));
    }

    [Theory]
    [InlineData("file: sk_live_4f9Kq27XbT1mZ0c")]
    [InlineData("file: re_AbCdEfGh_1234567890abcdefghijklmn")]
    [InlineData("file: 'Bearer sk_live_4f9Kq27XbT1mZ0c'")]
    [InlineData("file: whsec_MfKQ9r8GKYqrTwjU/PD8ILPZIo2LaLaSw")]
    [InlineData("file: 0f8fad5b-d9cb-469f-a165-70867728950e")]
    [InlineData("file: 4f9Kq27XbT1mZ0c8Rr3Wq")]
    [InlineData("directory: sk_live_4f9Kq27XbT1mZ0c")]
    [InlineData("env: sk_live_4f9Kq27XbT1mZ0c")]
    public void Setting_HoldsTheSecretItself_IsSaidWithoutShowingIt(string credential)
    {
        var value = credential[(credential.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim(' ', '\'');

        var refused = Assert.Throws<SettingsException>(() => Read($"preset: sendapi", credential));

        var error = Assert.Single(refused.Errors, e => e.Message.Contains("looks like a secret itself", StringComparison.Ordinal));
        Assert.DoesNotContain(refused.Errors, e => e.ToString().Contains(value, StringComparison.Ordinal));
        Assert.Equal((4, true), (error.Line, error.Column > 0));
    }

    [Theory]
    [InlineData("file: /run/secrets/sendapi/key")]
    [InlineData("file: secrets/production-api-key.txt")]
    [InlineData("file: ../keys/sk_live")]
    [InlineData("file: key")]
    [InlineData("env: SENDAPI_KEY")]
    public void Setting_HoldsAPath_IsTaken(string credential) => Assert.NotNull(Read("preset: sendapi", credential));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ProxySettings Load(string preset, string content, string credential = "")
    {
        File.WriteAllText(Path.Combine(_folder, "key"), content);
        return Read(preset, $"file: key{(credential.Length > 0 ? ", " : "")}{credential}");
    }

    private ProxySettings Read(string preset, string credential)
    {
        var path = Path.Combine(_folder, "proxy.yaml");
        File.WriteAllText(path, $"version: 1\nroles: [egress]\nupstreams:\n  vendor: {{ {preset}, address: \"https://vendor.example\", credential: {{ {credential} }} }}\n");
        return ProxySettings.Load(path, _ => null);
    }
}
