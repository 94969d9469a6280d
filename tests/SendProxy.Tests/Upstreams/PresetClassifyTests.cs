using System.Text;
using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Upstreams;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Upstreams;

// What each preset makes of the vendor's answers, as the vendor's documentation has them; each row is one fact of the preset.
public class PresetClassifyTests
{
    private static readonly Lazy<Dictionary<string, UpstreamOptions>> Presets = new(Load);

    [Theory]
    [InlineData("brevo", 201, "", """{"messageId":"<1@smtp-relay.mailin.fr>"}""", AttemptOutcome.Final)]
    [InlineData("brevo", 400, "", """{"code":"duplicate_parameter","message":"idempotencyKey is not unique"}""", AttemptOutcome.Undecided)]
    [InlineData("brevo", 400, "", """{"code":"duplicate_request"}""", AttemptOutcome.Undecided)]
    [InlineData("brevo", 400, "", """{"code":"invalid_parameter","message":"email is not valid in to"}""", AttemptOutcome.Rejected)]
    [InlineData("brevo", 401, "", """{"code":"unauthorized"}""", AttemptOutcome.CredentialRejected)]
    [InlineData("brevo", 402, "", """{"code":"not_enough_credits"}""", AttemptOutcome.Rejected)]
    [InlineData("brevo", 429, "", "{}", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("brevo", 500, "", "{}", AttemptOutcome.Failed)]
    [InlineData("github", 403, "X-RateLimit-Remaining: 0", "{}", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("github", 403, "X-RateLimit-Remaining: 14|Retry-After: 60", "{}", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("github", 403, "X-RateLimit-Remaining: 14", """{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}""", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("github", 403, "X-RateLimit-Remaining: 14", """{"message":"Resource not accessible by integration"}""", AttemptOutcome.Rejected)]
    [InlineData("github", 429, "", "", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("github", 422, "", "{}", AttemptOutcome.Rejected)]
    [InlineData("mailgun", 429, "", "", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("meta", 400, "", """{"error":{"code":130429}}""", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("meta", 400, "", """{"error":{"code":80007}}""", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("meta", 400, "", """{"error":{"code":190}}""", AttemptOutcome.CredentialRejected)]
    [InlineData("meta", 429, "", """{"error":{"code":4}}""", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("meta", 429, "", """{"error":{"code":17}}""", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("meta", 400, "", """{"error":{"code":131056}}""", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("meta", 429, "", """{"error":{"code":131048}}""", AttemptOutcome.Rejected)]
    [InlineData("meta", 429, "", """{"error":{"code":131064}}""", AttemptOutcome.Rejected)]
    [InlineData("meta", 500, "", """{"error":{"code":3}}""", AttemptOutcome.Undecided)]
    [InlineData("meta", 403, "", """{"error":{"code":368}}""", AttemptOutcome.Rejected)]
    [InlineData("meta", 503, "", """{"error":{"code":2}}""", AttemptOutcome.Failed)]
    [InlineData("meta", 200, "", """{"messaging_product":"whatsapp","messages":[{"id":"wamid.1"}]}""", AttemptOutcome.Final)]
    [InlineData("meta", 400, "", """{"error":{"code":131000}}""", AttemptOutcome.Failed)]
    [InlineData("meta", 400, "", """{"error":{"code":100}}""", AttemptOutcome.Rejected)]
    [InlineData("postmark", 200, "", """{"ErrorCode":0,"Message":"OK","MessageID":"1"}""", AttemptOutcome.Final)]
    [InlineData("postmark", 401, "", """{"ErrorCode":10}""", AttemptOutcome.CredentialRejected)]
    [InlineData("postmark", 422, "", """{"ErrorCode":406}""", AttemptOutcome.Rejected)]
    [InlineData("postmark", 429, "", "", AttemptOutcome.Throttled)]
    [InlineData("postmark", 503, "", """{"ErrorCode":100}""", AttemptOutcome.Failed)]
    [InlineData("postmark", 422, "", """{"ErrorCode":405}""", AttemptOutcome.Rejected)]
    [InlineData("resend", 403, "", """{"name":"invalid_api_key"}""", AttemptOutcome.CredentialRejected)]
    [InlineData("resend", 401, "", """{"name":"restricted_api_key"}""", AttemptOutcome.Rejected)]
    [InlineData("resend", 401, "", """{"name":"missing_api_key"}""", AttemptOutcome.CredentialRejected)]
    [InlineData("resend", 429, "", """{"name":"rate_limit_exceeded"}""", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("resend", 429, "", """{"name":"daily_quota_exceeded"}""", AttemptOutcome.Rejected)]
    [InlineData("resend", 409, "", """{"name":"concurrent_idempotent_requests"}""", AttemptOutcome.InProgress)]
    [InlineData("sendapi", 429, "", """{"error":{"code":"quota_exceeded"}}""", AttemptOutcome.Rejected)]
    [InlineData("sendapi", 422, "", """{"error":{"code":"session_disconnected"}}""", AttemptOutcome.Rejected)]
    [InlineData("resend", 409, "", """{"name":"invalid_idempotent_request"}""", AttemptOutcome.Undecided)]
    [InlineData("sendgrid", 202, "", "", AttemptOutcome.Final)]
    [InlineData("sendgrid", 401, "", """{"errors":[{"message":"The provided authorization grant is invalid, expired, or revoked"}]}""", AttemptOutcome.CredentialRejected)]
    [InlineData("sendgrid", 401, "", """{"errors":[{"message":"Maximum credits exceeded","field":null,"help":null}]}""", AttemptOutcome.Rejected)]
    [InlineData("sendgrid", 413, "", "", AttemptOutcome.Rejected)]
    [InlineData("sendgrid", 429, "", "", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("slack", 200, "", """{"ok":true,"ts":"1.2"}""", AttemptOutcome.Final)]
    [InlineData("slack", 200, "", """{"ok":false,"error":"channel_not_found"}""", AttemptOutcome.Rejected)]
    [InlineData("slack", 200, "", """{"ok":false,"error":"token_expired"}""", AttemptOutcome.CredentialRejected)]
    [InlineData("slack", 200, "", """{"ok":false,"error":"token_revoked"}""", AttemptOutcome.CredentialRejected)]
    [InlineData("slack", 200, "", """{"ok":false,"error":"ratelimited"}""", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("slack", 200, "", """{"ok":false,"error":"fatal_error"}""", AttemptOutcome.Failed)]
    [InlineData("slack", 200, "", """{"ok":false,"error":"service_unavailable"}""", AttemptOutcome.Failed)]
    [InlineData("slack", 200, "", """{"ok":false,"error":"messaging_processing_failed"}""", AttemptOutcome.Failed)]
    [InlineData("slack", 200, "", """{"ok":false,"error":"message_limit_exceeded"}""", AttemptOutcome.Rejected)]
    [InlineData("slack", 200, "", """{"ok":false,"error":"duplicate_message_not_found"}""", AttemptOutcome.Undecided)]
    [InlineData("slack", 429, "Retry-After: 3", "", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("stripe", 200, "Stripe-Should-Retry: false", """{"id":"ch_1"}""", AttemptOutcome.Final)]
    [InlineData("stripe", 409, "Stripe-Should-Retry: false", """{"error":{"code":"idempotency_key_in_use"}}""", AttemptOutcome.Undecided)]
    [InlineData("stripe", 401, "Stripe-Should-Retry: false", "{}", AttemptOutcome.CredentialRejected)]
    [InlineData("stripe", 402, "Stripe-Should-Retry: false", "{}", AttemptOutcome.Rejected)]
    [InlineData("stripe", 500, "Stripe-Should-Retry: false", "{}", AttemptOutcome.Undecided)]
    [InlineData("stripe", 409, "Stripe-Should-Retry: true", "{}", AttemptOutcome.Failed)]
    [InlineData("twilio", 429, "", "<?xml version='1.0'?><TwilioResponse><RestException><Code>20429</Code></RestException></TwilioResponse>", AttemptOutcome.ThrottledUnprocessed)]
    [InlineData("twilio", 400, "", """{"code":21211}""", AttemptOutcome.Rejected)]
    public void Preset_Answer_MeansWhatTheVendorDocuments(string preset, int status, string headers, string body, object expected)
    {
        var pairs = headers.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(h => h.Split(": ")).ToDictionary(h => h[0], h => h[1], StringComparer.OrdinalIgnoreCase);

        var (meaning, byRule) = Classifier.Judge(Presets.Value[preset].Classify, status, pairs.GetValueOrDefault, Encoding.UTF8.GetBytes(body));

        Assert.Equal((AttemptOutcome)expected, AttemptTable.Of(meaning, byRule, status));
    }

    [Fact]
    public void Preset_Errors_AreWhatTheVendorsLibrariesRead() => Assert.Equal(
        ((ErrorMember.Text, 200), (ErrorMember.Object, 422), (ErrorMember.None, 422)),
        (Of("slack"), Of("stripe"), Of("sendapi")));

    private static (ErrorMember, int) Of(string preset) => Presets.Value[preset].Errors is var e ? (e.Member, e.UndecidedStatus) : default;

    private static Dictionary<string, UpstreamOptions> Load()
    {
        var folder = Directory.CreateTempSubdirectory("sendproxy-presets-").FullName;
        var path = Path.Combine(folder, "proxy.yaml");
        string[] names = ["brevo", "github", "mailgun", "meta", "postmark", "resend", "sendapi", "sendgrid", "slack", "stripe", "twilio"];
        File.WriteAllText(path, "version: 1\nroles: [egress]\njournal: { kind: none }\nupstreams:\n"
            + string.Concat(names.Select(n => $"  {n}: {{ preset: {n}, address: \"https://{n}.example\", credential: {{ file: key }} }}\n")) + "routes: []\n");
        try
        {
            return SendProxy.ProxySettings.Load(path, _ => null).Upstreams.ToDictionary(u => u.Key, u => u.Value.Options);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
