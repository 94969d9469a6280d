using SendProxy.Configuration;
using SendProxy.FanOut;

namespace SendProxy.Tests.FanOut;

public sealed class SubscriberOptionsTests
{
    [Theory]
    [InlineData("{ }", "url: is required")]
    [InlineData("{ url: \"ftp://127.0.0.1/\" }", "no address of this form")]
    [InlineData("{ url: \"http://user:word@127.0.0.1/\" }", "no address of this form")]
    [InlineData("{ url: \"unix:relative.sock:/hooks\" }", "no address of this form")]
    [InlineData("{ url: \"https://app.example/hooks\" }", "signWith: is required")]
    [InlineData("{ url: \"http://127.0.0.1/\", rate: 10/s }", "unknown setting")]
    [InlineData("{ url: \"http://127.0.0.1/\", retry: { baseDelay: 1h, maxDelay: 1m } }", "longer than maxDelay")]
    public void Read_Wrong_SaysWhat(string yaml, string message)
    {
        Assert.Contains(message, Assert.Throws<SettingsException>(() => Read(yaml)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:3000/hooks", "http://127.0.0.1:3000/hooks", null)]
    [InlineData("http://[::1]/hooks", "http://[::1]/hooks", null)]
    [InlineData("http://localhost/hooks", "http://localhost/hooks", null)]
    [InlineData("unix:/run/app.sock:/hooks?a=b", "http://localhost/hooks?a=b", "/run/app.sock")]
    [InlineData("unix:/run/app.sock", "http://localhost/", "/run/app.sock")]
    public void Read_OnThisMachine_NeedsNoKey(string written, string url, string? path)
    {
        var options = Read($"{{ url: \"{written}\" }}");

        Assert.Equal((url, path, true), (options.Url.ToString(), options.UnixPath, options.IsLocal));
    }

    private static SubscriberOptions Read(string yaml)
    {
        var document = new SettingsDocument(_ => null);
        var place = new SettingsSource("test", Path.GetTempPath());
        var options = SubscriberOptions.Read("test", new SettingsReader(document, "s", [new SettingsLayer(document.Parse(yaml, place)!, place)], "s"));
        document.RefuseUnknownKeys();
        return document.Errors.Count == 0 ? options : throw new SettingsException(document.Errors, document.Included);
    }
}
