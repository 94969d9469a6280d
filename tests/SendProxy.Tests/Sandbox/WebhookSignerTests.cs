using System.Text;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Tests.Sandbox;

// Vectors from the libraries' own tests: Svix, stripe-dotnet, GitHub's documentation.
public class WebhookSignerTests
{
    private const string StripeBody =
        """
        {
          "id": "evt_123",
          "object": "event",
          "account": "acct_123",
          "api_version": "2017-05-25",
          "created": 1533204620,
          "data": {
            "object": {
              "id": "cus_123",
              "object": "customer",
              "created": 123456789,
              "email": "test@stripe.com",
              "livemode": false,
              "metadata": {}
            }
          },
          "livemode": false,
          "pending_webhooks": 1,
          "request": {
            "id": "req_123",
            "idempotency_key": "idempotency-key-123"
          },
          "type": "customer.created"
        }

        """;

    [Theory]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    public void Standard_PublishedVector_IsReproduced(string secret)
    {
        var headers = Sign(SignatureForm.Standard, secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
            """{"test": 2432232314}""");

        Assert.Equal("msg_p5jXN8AQM9LWM0D4loKWxJek", headers["webhook-id"]);
        Assert.Equal("1614265330", headers["webhook-timestamp"]);
        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", headers["webhook-signature"]);
    }

    [Theory]
    [InlineData(StripeBody, "2220f87ef101a04665f11cdf770523143f875572008577fa0f20882ddb9cc3c7")]
    public void Stripe_PublishedVector_IsReproduced(string body, string signature)
    {
        var headers = Sign(SignatureForm.Stripe, "webhook_secret", "evt_123", 1533204620, body);

        Assert.Equal($"t=1533204620,v1={signature}", headers["Stripe-Signature"]);
    }

    [Theory]
    [InlineData("It's a Secret to Everybody", "Hello, World!",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")]
    [InlineData("Convoy", "Test Payload Body", "d7a154547e7c35e31c4c820e20237650939c3d34dae136e30a7757ca61abb4cf")]
    public void GitHub_PublishedVector_IsReproduced(string secret, string body, string signature)
    {
        var headers = Sign(SignatureForm.GitHub, secret, "evt_1", 1, body);

        Assert.Equal("sha256=" + signature, headers["X-Hub-Signature-256"]);
        Assert.Equal("evt_1", headers["X-GitHub-Delivery"]);
    }

    [Fact]
    public void None_Form_HasNoHeaders() => Assert.Empty(Sign(SignatureForm.None, "", "evt_1", 1, "{}"));

    [Theory]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("whsec_!!")]
    public void Standard_SecretWithoutKey_Throws(string secret) =>
        Assert.Throws<FormatException>(() => new WebhookSigner(SignatureForm.Standard, secret));

    private static Dictionary<string, string> Sign(
        SignatureForm form, string secret, string id, long timestamp, string body) =>
        new(new WebhookSigner(form, secret).Sign(
            id, DateTimeOffset.FromUnixTimeSeconds(timestamp), Encoding.UTF8.GetBytes(body)));
}
