using SendProxy.Configuration;
using SendProxy.Egress.Routing;

namespace SendProxy.Tests.Issues;

// What SDKs call every day has a route, one route of a preset is changed by its name, and a large email needs no reading.
public sealed class PresetRoutesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-issue-").FullName;

    [Theory]
    [InlineData("resend", "POST", "/emails")]
    [InlineData("resend", "POST", "/emails/batch")]
    [InlineData("resend", "GET", "/emails/4ef9a417-02e9-4d39-ad75-9611e0fcc33c")]
    [InlineData("resend", "PATCH", "/emails/4ef9a417-02e9-4d39-ad75-9611e0fcc33c")]
    [InlineData("postmark", "POST", "/email/batch")]
    [InlineData("postmark", "POST", "/email/withTemplate")]
    [InlineData("stripe", "POST", "/v2/billing/meter_events")]
    [InlineData("sendgrid", "DELETE", "/v3/suppression/bounces")]
    [InlineData("sendgrid", "PATCH", "/v3/marketing/lists/1")]
    [InlineData("mailgun", "DELETE", "/v3/example.com/bounces/a")]
    [InlineData("brevo", "POST", "/v3/transactionalSMS/sms")]
    [InlineData("brevo", "DELETE", "/v3/smtp/email/1")]
    [InlineData("brevo", "POST", "/v3/smtp/templates")]
    [InlineData("postmark", "GET", "/bounces")]
    [InlineData("postmark", "PUT", "/bounces/1/activate")]
    [InlineData("postmark", "POST", "/message-streams/outbound/suppressions")]
    public void Preset_CallOfAnSdk_HasARoute(string preset, string method, string path) =>
        Assert.Contains(Routes($"preset: {preset}"), r => r.Methods.Contains(method) && (r.Path == path || (r.Prefix is { } prefix && path.StartsWith(prefix, StringComparison.Ordinal))));

    [Fact]
    public void Override_ByName_ChangesThatSettingOnly()
    {
        var plain = Routes("preset: sendapi");

        var routes = Routes("preset: sendapi, routes: [{ name: sms, paused: true }]");

        Assert.Equal(plain.Select(r => (r.Name, r.Path, r.Prefix, r.Channel)), routes.Select(r => (r.Name, r.Path, r.Prefix, r.Channel)));
        Assert.Equal(["sms"], routes.Where(r => r.Paused).Select(r => r.Name));
    }

    [Fact]
    public void Override_NewName_GoesBeforeThePresets()
    {
        var routes = Routes("preset: sendapi, routes: [{ name: mine, match: { methods: [GET], path: /v1/messages/mine } }]");

        Assert.Equal(("mine", "sms"), (routes[0].Name, routes[1].Name));
        Assert.Equal("vendor", routes[0].Upstream);
    }

    [Fact]
    public void Override_TogetherWithRoutes_IsRefused()
    {
        var refused = Assert.Throws<SettingsException>(() => Routes(
            "preset: sendapi, routes: [{ name: sms, paused: true }]", "routes: [{ name: all, upstream: vendor, match: { prefix: /v1/ } }]"));

        Assert.Contains("replace the presets' routes", Assert.Single(refused.Errors).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ name: sms, upstream: other }")]
    [InlineData("{ name: sms, pausd: true }")]
    [InlineData("{ paused: true }")]
    public void Override_Wrong_IsRefused(string route) => Assert.Throws<SettingsException>(() => Routes($"preset: sendapi, routes: [{route}]"));

    [Fact]
    public void Email_NothingReadsIt_IsStreamed()
    {
        var email = Routes("preset: sendapi").Single(r => r.Name == "email");
        var counted = Routes("preset: sendapi, routes: [{ name: email, recipients: { perDay: 100 } }]").Single(r => r.Name == "email");

        Assert.Equal((30L << 20, (string?)null), (email.Body.MaxStreamed, email.Body.ReadBy));
        Assert.Equal((0L, "recipients"), (counted.Body.MaxStreamed, counted.Body.ReadBy));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private IReadOnlyList<EgressRouteOptions> Routes(string upstream, string more = "")
    {
        var path = Path.Combine(_folder, "proxy.yaml");
        File.WriteAllText(path, $"version: 1\nroles: [egress]\nupstreams:\n  vendor: {{ {upstream}, address: \"https://vendor.example\", credential: {{ file: key }} }}\n{more}\n");
        return ProxySettings.Load(path, _ => null).Routes;
    }
}
