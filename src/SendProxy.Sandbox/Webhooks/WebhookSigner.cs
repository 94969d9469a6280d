using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Sandbox.Webhooks;

/// <summary>Signs a body. Recipes: standardwebhooks.com, docs.stripe.com/webhooks/signature, docs.github.com.</summary>
internal sealed class WebhookSigner
{
    private readonly SignatureForm _form;
    private readonly byte[] _key;

    /// <exception cref="FormatException">The standard form's secret is not base64, or is empty.</exception>
    public WebhookSigner(SignatureForm form, string secret)
    {
        _form = form;
        _key = form == SignatureForm.Standard ? StandardKey(secret) : Encoding.UTF8.GetBytes(secret);
    }

    /// <summary>The headers that carry the signature, and the id where the form has one.</summary>
    public IEnumerable<KeyValuePair<string, string>> Sign(string id, DateTimeOffset at, byte[] body)
    {
        var timestamp = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return _form switch
        {
            SignatureForm.Standard =>
            [
                new("webhook-id", id),
                new("webhook-timestamp", timestamp),
                new("webhook-signature", "v1," + Convert.ToBase64String(Mac($"{id}.{timestamp}.", body))),
            ],
            SignatureForm.Stripe =>
            [
                new("Stripe-Signature", $"t={timestamp},v1={Convert.ToHexStringLower(Mac(timestamp + ".", body))}"),
            ],
            SignatureForm.GitHub =>
            [
                new("X-GitHub-Delivery", id),
                new("X-Hub-Signature-256", "sha256=" + Convert.ToHexStringLower(Mac("", body))),
            ],
            _ => [],
        };
    }

    private byte[] Mac(string prefix, byte[] body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        mac.AppendData(Encoding.UTF8.GetBytes(prefix));
        mac.AppendData(body);
        return mac.GetHashAndReset();
    }

    private static byte[] StandardKey(string secret)
    {
        var text = secret.StartsWith("whsec_", StringComparison.Ordinal) ? secret[6..] : secret;
        var key = Convert.FromBase64String(text);
        return key.Length > 0 ? key : throw new FormatException("The secret is empty.");
    }
}
