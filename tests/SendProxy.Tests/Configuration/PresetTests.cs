using SendProxy.Configuration;
using SendProxy.Upstreams;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Configuration;

// Each embedded preset is read as an operator would use it.
public sealed class PresetTests : IDisposable
{
    private readonly SettingsFile _file = new();

    public static TheoryData<string> WithUpstream => [.. Presets.Names.Where(n => Presets.Embedded(n)!.Contains("\nupstream:", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(WithUpstream))]
    public void Upstream_NamedAlone_IsAWholeConfiguration(string name)
    {
        var errors = _file.Errors(Config(name));

        Assert.Empty(errors);
    }

    [Theory]
    [InlineData("stripe", CarrierKind.Header)]
    [InlineData("resend", CarrierKind.Header)]
    [InlineData("brevo", CarrierKind.Body)]
    [InlineData("twilio", CarrierKind.None)]
    [InlineData("sendgrid", CarrierKind.None)]
    [InlineData("postmark", CarrierKind.None)]
    [InlineData("mailgun", CarrierKind.None)]
    [InlineData("slack", CarrierKind.None)]
    [InlineData("meta", CarrierKind.None)]
    [InlineData("github", CarrierKind.None)]
    public void Upstream_Idempotency_IsTheVendors(string name, object carrier) =>
        Assert.Equal((CarrierKind)carrier, _file.Load(Config(name)).Upstreams["vendor"].Options.Idempotency.Kind);

    [Theory]
    [InlineData("brevo", "/v3/smtp/email", true)]
    [InlineData("brevo", "/v3/smtp/email?a=1", true)]
    [InlineData("brevo", "/v3/smtp/emails", false)]
    [InlineData("brevo", "/v3/smtp/templates", false)]
    [InlineData("brevo", "/v3/transactionalSMS/send", false)]
    [InlineData("brevo", "/v3/whatsapp/sendMessage", false)]
    [InlineData("resend", "/emails", true)]
    [InlineData("resend", "/emails/batch", true)]
    [InlineData("resend", "/emails/4ef9a417/cancel", false)]
    [InlineData("stripe", "/v1/charges", true)]
    [InlineData("stripe", "/v2/billing/meter_events", true)]
    [InlineData("twilio", "/2010-04-01/Accounts/AC1/Messages.json", false)]
    public void Upstream_Post_IsDeduplicatedWhereTheVendorSaysSo(string name, string target, bool deduplicated) =>
        Assert.Equal(deduplicated, _file.Load(Config(name)).Upstreams["vendor"].Options.Idempotency.At(target).Deduplicates);

    [Theory]
    [InlineData("stripe", "sk_live_0123456789abcdef")]
    [InlineData("twilio", "AC0123456789abcdef0123456789abcdef:0123456789abcdef")]
    [InlineData("sendgrid", "SG.0123456789abcdef_-.0123456789abcdef_-")]
    [InlineData("slack", "xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx")]
    [InlineData("brevo", "xkeysib-0123456789abcdef0123")]
    [InlineData("postmark", "01234567-89ab-cdef-0123-456789abcdef")]
    [InlineData("mailgun", "api:0123456789abcdef0123456789abcdef-01234567-89abcdef")]
    public void Pattern_VendorsKey_Fits(string name, string key) =>
        Assert.Matches(_file.Load(Config(name)).Upstreams["vendor"].Options.Credential.Form.Live!, key);

    [Theory]
    [InlineData("slack", 200, """{"ok":false,"error":"ratelimited"}""", Meaning.Throttled)]
    [InlineData("slack", 200, """{"ok":false,"error":"channel_not_found"}""", Meaning.Permanent)]
    [InlineData("slack", 200, """{"ok":true}""", Meaning.Success)]
    [InlineData("meta", 400, """{"error":{"code":130429}}""", Meaning.Throttled)]
    [InlineData("meta", 400, """{"error":{"code":100}}""", Meaning.Permanent)]
    [InlineData("twilio", 429, """{"code":20429}""", Meaning.Throttled)]
    [InlineData("resend", 429, """{"name":"daily_quota_exceeded"}""", Meaning.Quota)]
    [InlineData("sendapi", 429, """{"error":{"code":"quota_exceeded"}}""", Meaning.Quota)]
    public void Classify_VendorsAnswer_MeansWhatTheVendorMeans(string name, int status, string body, object meaning)
    {
        var rules = _file.Load(Config(name)).Upstreams["vendor"].Options.Classify;

        Assert.Equal((Meaning)meaning, Classifier.Judge(rules, status, _ => null, System.Text.Encoding.UTF8.GetBytes(body)).Meaning);
    }

    public void Dispose() => _file.Dispose();

    private static string Config(string preset) =>
        $"version: 1\nupstreams: {{ vendor: {{ preset: {preset}, address: 'https://api.vendor.example', credential: {{ file: key }} }} }}\n";
}
