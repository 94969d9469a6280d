using System.Text;

namespace SendProxy.Tests.Receiving;

/// <summary>Vectors that the vendors, or those who verify them, have published. Each against the preset's recipe.</summary>
public sealed class VendorVectorTests
{
    private const string StripeBody = "{\n  \"id\": \"evt_123\",\n  \"object\": \"event\",\n  \"account\": \"acct_123\",\n  \"api_version\": \"2017-05-25\",\n  \"created\": 1533204620,\n  \"data\": {\n    \"object\": {\n      \"id\": \"cus_123\",\n      \"object\": \"customer\",\n      \"created\": 123456789,\n      \"email\": \"test@stripe.com\",\n      \"livemode\": false,\n      \"metadata\": {}\n    }\n  },\n  \"livemode\": false,\n  \"pending_webhooks\": 1,\n  \"request\": {\n    \"id\": \"req_123\",\n    \"idempotency_key\": \"idempotency-key-123\"\n  },\n  \"type\": \"customer.created\"\n}\n";
    private const string StripeSignature = "v1=2220f87ef101a04665f11cdf770523143f875572008577fa0f20882ddb9cc3c7";
    private const string SendGridBody = "[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":\"Bounced Address\",\"sg_event_id\":\"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA\",\"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0\",\"smtp-id\":\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\",\"timestamp\":1600112492}]\r\n";
    private const string SendGridSignature = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=";
    private const string SlackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

    [Theory]
    [InlineData("t=1533204620," + StripeSignature + ",v0=63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef", StripeBody, 100, "accepted")]
    [InlineData("t=1533204620,v1=00," + StripeSignature, StripeBody, 100, "accepted")]
    [InlineData("t=1533204620," + StripeSignature, StripeBody, 300, "accepted")]
    [InlineData("t=1533204620," + StripeSignature, StripeBody, 301, "timestamp_too_old")]
    [InlineData("t=1533204621," + StripeSignature, StripeBody, 100, "signature_mismatch")]
    [InlineData("t=1533204620,t=1533204620," + StripeSignature, StripeBody, 100, "signature_malformed")]
    [InlineData("t=1533204620", StripeBody, 100, "signature_malformed")]
    [InlineData("t=1533204620,v0=63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef", StripeBody, 100, "signature_malformed")]
    [InlineData(StripeSignature, StripeBody, 100, "timestamp_missing")]
    [InlineData("t=1533204620," + StripeSignature, "{}", 100, "signature_mismatch")]
    public void Stripe_Header_IsJudged(string header, string body, int later, string verdict)
    {
        var webhook = new Recipes("stripe")
        {
            Secret = "webhook_secret",
            Text = body,
            Now = DateTimeOffset.FromUnixTimeSeconds(1533204620 + later),
            ["Stripe-Signature"] = header,
        };

        Assert.Equal(verdict, webhook.Check());
    }

    [Fact]
    public void Stripe_WithoutTheLastLineFeed_IsRefused()
    {
        Assert.Equal(484, StripeBody.Length);
        var webhook = new Recipes("stripe")
        {
            Secret = "webhook_secret",
            Text = StripeBody[..^1],
            Now = DateTimeOffset.FromUnixTimeSeconds(1533204620),
            ["Stripe-Signature"] = "t=1533204620," + StripeSignature,
        };

        Assert.Equal("signature_mismatch", webhook.Check());
    }

    [Theory]
    [InlineData("It's a Secret to Everybody", "Hello, World!", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", "accepted")]
    [InlineData("Convoy", "Test Payload Body", "sha256=d7a154547e7c35e31c4c820e20237650939c3d34dae136e30a7757ca61abb4cf", "accepted")]
    [InlineData("Convoy", "Test Payload Body.", "sha256=d7a154547e7c35e31c4c820e20237650939c3d34dae136e30a7757ca61abb4cf", "signature_mismatch")]
    [InlineData("Convoy", "Test Payload Body", "d7a154547e7c35e31c4c820e20237650939c3d34dae136e30a7757ca61abb4cf", "signature_malformed")]
    [InlineData("Convoy", "Test Payload Body", "sha256=d7a154547e7c35e31c4c820e20237650939c3d34dae136e30a7757ca61abb4c", "signature_malformed")]
    [InlineData("Convoy", "Test Payload Body", "sha256=zz", "signature_malformed")]
    public void GitHub_Header_IsJudged(string secret, string body, string header, string verdict)
    {
        var webhook = new Recipes("github") { Secret = secret, Text = body, ["X-Hub-Signature-256"] = header };

        Assert.Equal(verdict, webhook.Check());
    }

    [Fact]
    public void GitHub_TwoSignatureHeaders_AreMalformed()
    {
        var webhook = new Recipes("github") { Secret = "Convoy", Text = "Test Payload Body" };
        const string Right = "sha256=d7a154547e7c35e31c4c820e20237650939c3d34dae136e30a7757ca61abb4cf";
        webhook.Twice("X-Hub-Signature-256", Right, Right);

        Assert.Equal("signature_malformed", webhook.Check());
    }

    [Theory]
    [InlineData("Convoy", "Test Payload Body", "16FUVH58NeMcTIIOICN2UJOcPTTa4TbjCndXymGrtM8=", "accepted")]
    [InlineData("test-webhook-secret", """{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}""", "QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw=", "accepted")]
    [InlineData("Convoy", "Test Payload Body", "16FUVH58NeMcTIIOICN2UJOcPTTa4TbjCndXymGrtM9=", "signature_malformed")]
    [InlineData("convoy", "Test Payload Body", "16FUVH58NeMcTIIOICN2UJOcPTTa4TbjCndXymGrtM8=", "signature_mismatch")]
    public void Shopify_Header_IsJudged(string secret, string body, string header, string verdict)
    {
        var webhook = new Recipes("shopify") { Secret = secret, Text = body, ["X-Shopify-Hmac-SHA256"] = header };

        Assert.Equal(verdict, webhook.Check());
    }

    [Theory]
    [InlineData("1531420618", 300, "accepted")]
    [InlineData("1531420618", 301, "timestamp_too_old")]
    [InlineData("1531420619", 0, "signature_mismatch")]
    public void Slack_Header_IsJudged(string timestamp, int later, string verdict)
    {
        var webhook = new Recipes("slack")
        {
            Secret = "8f742231b10e8888abcd99yyyzzz85a5",
            Text = SlackBody,
            Now = DateTimeOffset.FromUnixTimeSeconds(1531420618 + later),
            ["X-Slack-Request-Timestamp"] = timestamp,
            ["X-Slack-Signature"] = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        };

        Assert.Equal(verdict, webhook.Check());
    }

    [Theory]
    [InlineData(SendGridBody, "1600112502", SendGridSignature, "accepted")]
    [InlineData(SendGridBody, "1600112503", SendGridSignature, "signature_mismatch")]
    [InlineData("[]", "1600112502", SendGridSignature, "signature_mismatch")]
    [InlineData(SendGridBody, "1600112502", "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZU", "signature_mismatch")]
    public void SendGrid_Headers_AreJudged(string body, string timestamp, string signature, string verdict)
    {
        Assert.Equal(verdict, SendGrid(body, timestamp, signature).Check());
    }

    [Fact]
    public void SendGrid_WithoutTheLastLineEnd_IsRefused()
    {
        Assert.Equal(327, SendGridBody.Length);
        Assert.Equal("signature_mismatch", SendGrid(SendGridBody[..^2], "1600112502", SendGridSignature).Check());
    }

    [Theory]
    [InlineData("""{"object":"whatsapp_business_account"}""", "sha256=795a720457a6d07b6d1537b804ff308b69ea077fec5ec8018594bb8e40921640", "accepted")]
    [InlineData("""{"object":"whatsapp_business_account","entry":[{"id":"0","changes":[{"field":"messages","value":{"messages":[{"text":{"body":"\u00e4\u00f6\u00e5"}}]}}]}]}""", "sha256=408a530033ff27ca5208644cdc1c16e73359e10689d1c0333b06a5247120e5c8", "accepted")]
    [InlineData("""{"object":"whatsapp_business_account","entry":[{"id":"0","changes":[{"field":"messages","value":{"messages":[{"text":{"body":"äöå"}}]}}]}]}""", "sha256=408a530033ff27ca5208644cdc1c16e73359e10689d1c0333b06a5247120e5c8", "signature_mismatch")]
    [InlineData("""{"object":"whatsapp_business_account","entry":[{"id":"0","changes":[{"field":"messages","value":{"messages":[{"text":{"body":"äöå"}}]}}]}]}""", "sha256=a99475b17f7ad0701ceb9d89ee093bb36c486ed40ef08139ba2f90441618195a", "accepted")]
    public void Meta_EscapedBytes_AreJudgedAsSent(string body, string header, string verdict)
    {
        var webhook = new Recipes("meta") { Secret = "test_app_secret_1234567890", Text = body, ["X-Hub-Signature-256"] = header };

        Assert.Equal(verdict, webhook.Check());
    }

    [Theory]
    [InlineData("https://mycompany.com/myapp.php", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "accepted")]
    [InlineData("https://mycompany.com:443/myapp.php", "kvajT1Ptam85bY51eRf/AJRuM3w=", "accepted")]
    [InlineData("https://mycompany.com/myapp.php", "kvajT1Ptam85bY51eRf/AJRuM3w=", "accepted")]
    [InlineData("https://mycompany.com:443/myapp.php", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "accepted")]
    [InlineData("https://mycompany.com:1234/myapp.php", "CYn1h0gLBdNxDGkKJg6hYohgeD8=", "accepted")]
    [InlineData("http://mycompany.com:1234/myapp.php", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=", "accepted")]
    [InlineData("http://username:password@MyCompany.com/myapp.php", "PJ08CxXr7KLPjEQCTc8LkUSMwSM=", "accepted")]
    [InlineData("https://mycompany.com:1234/myapp.php", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "signature_mismatch")]
    [InlineData("https://mycompany.com/other.php", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "signature_mismatch")]
    public void Twilio_Form_IsJudgedWithAndWithoutTheDefaultPort(string url, string signature, string verdict)
    {
        var webhook = Twilio("?foo=1&bar=2", signature, "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212");
        webhook.PublicUrl = url;

        Assert.Equal(verdict, webhook.Check());
    }

    [Theory]
    [InlineData("Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234", "accepted")]
    [InlineData("SidAccount=AC123&Digits=1234&Sid=CA123&Digits=5678", "accepted")]
    [InlineData("Sid=CA123&SidAccount=AC123&Digits=5678", "signature_mismatch")]
    public void Twilio_SeveralValues_AreDistinctAndSorted(string form, string verdict)
    {
        Assert.Equal(verdict, Twilio("?foo=1&bar=2", "IK+Dwps556ElfBT0I3Rgjkr1wJU=", form).Check());
    }

    [Theory]
    [InlineData("?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620", "a9nBmqA0ju/hNViExpshrM61xv4=", "accepted")]
    [InlineData("?bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620", "y77kIzt2vzLz71DgmJGsen2scGs=", "accepted")]
    [InlineData("?bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6621", "y77kIzt2vzLz71DgmJGsen2scGs=", "signature_mismatch")]
    [InlineData("", "y77kIzt2vzLz71DgmJGsen2scGs=", "signature_mismatch")]
    public void Twilio_Json_IsJudgedByItsHash(string query, string signature, string verdict)
    {
        var webhook = Twilio(query, signature, """{"property": "value", "boolean": true}""");
        webhook.IsForm = false;

        Assert.Equal(verdict, webhook.Check());
    }

    [Fact]
    public void Twilio_JsonUnderASignatureOfTheUrlAlone_IsRefused()
    {
        var url = "https://mycompany.com/myapp.php"u8.ToArray();
#pragma warning disable CA5350 // Twilio's.
        var signature = Convert.ToBase64String(System.Security.Cryptography.HMACSHA1.HashData("12345"u8, url));
#pragma warning restore CA5350
        var webhook = Twilio("", signature, "{}");
        webhook.IsForm = false;

        Assert.Equal("signature_mismatch", webhook.Check());
        webhook.Body = [];
        Assert.Equal("accepted", webhook.Check());
    }

    private static Recipes Twilio(string query, string signature, string body) => new("twilio")
    {
        Secret = "12345",
        PublicUrl = "https://mycompany.com/myapp.php",
        Query = query,
        IsForm = true,
        Text = body,
        ["X-Twilio-Signature"] = signature,
    };

    private static Recipes SendGrid(string body, string timestamp, string signature) => new("sendgrid")
    {
        Secret = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
        Body = Encoding.UTF8.GetBytes(body),
        Now = DateTimeOffset.FromUnixTimeSeconds(1600112502),
        ["X-Twilio-Email-Event-Webhook-Signature"] = signature,
        ["X-Twilio-Email-Event-Webhook-Timestamp"] = timestamp,
    };
}
