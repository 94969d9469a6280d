using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace SendProxy.Secrets;

/// <summary>What is done with a webhook's secret.</summary>
internal enum SignatureScheme
{
    HmacSha256,

    /// <summary>Only for vendors that offer nothing else: Twilio.</summary>
    HmacSha1,

    /// <summary>The secret is a public key (SubjectPublicKeyInfo); signatures are DER (RFC 3279).</summary>
    EcdsaP256,

    /// <summary>The header carries the secret itself: no proof of the body.</summary>
    SharedSecret,

    /// <summary>Nothing is verified.</summary>
    None,
}

/// <summary>How a secret's text stands for bytes.</summary>
internal enum KeyEncoding
{
    Utf8,
    Base64,
    Hex,
}

/// <summary>How a secret's text becomes a key.</summary>
/// <param name="StripPrefix">Removed where the text begins with it; empty: none.</param>
internal sealed record SigningKeyFormat(SignatureScheme Scheme, KeyEncoding Encoding, string StripPrefix = "")
{
    /// <summary>Standard Webhooks: <c>whsec_</c> and base64.</summary>
    public static readonly SigningKeyFormat StandardWebhooks = new(SignatureScheme.HmacSha256, KeyEncoding.Base64, "whsec_");

    /// <summary>What the secret's text must look like, so that a wrong file is told by the poller, and a good key kept.</summary>
    public SecretFormat TextFormat => Encoding switch
    {
        KeyEncoding.Base64 => new(Whole("[A-Za-z0-9+/]{8,}={0,2}"), null, true, CanBeUsed),
        KeyEncoding.Hex => new(Whole("(?:[0-9A-Fa-f]{2}){8,}"), null, true, CanBeUsed),
        _ => SecretFormat.Any with { CanBeUsed = CanBeUsed },
    };

    private bool CanBeUsed(string text) => SigningKey.Create(text, "", this) is not null;

    private Regex Whole(string rest) =>
        new($"^(?:{Regex.Escape(StripPrefix)})?{rest}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
}

/// <summary>
/// Key material made of a <see cref="Secret"/>: the one place that reveals a webhook's secret. Computes signatures, and
/// compares them in fixed time. Safe for use by several threads.
/// </summary>
internal sealed class SigningKey
{
    private readonly SignatureScheme _scheme;
    private readonly byte[] _bytes;
    private readonly ECDsa? _public;
    private readonly Lock _lock = new();

    private SigningKey(SignatureScheme scheme, byte[] bytes, ECDsa? publicKey, string fingerprint)
    {
        (_scheme, _bytes, _public, Fingerprint) = (scheme, bytes, publicKey, fingerprint);
    }

    /// <summary>First 8 hex digits of the secret's SHA-256: tells which of several keys matched.</summary>
    public string Fingerprint { get; }

    /// <returns>Null where the secret's text is no key of this form: not base64, empty behind its prefix, no P-256 key.</returns>
    public static SigningKey? Create(Secret secret, SigningKeyFormat form) => Create(secret.Reveal(), secret.Fingerprint, form);

    /// <returns>The same of a text that is only judged.</returns>
    public static SigningKey? Create(string text, string fingerprint, SigningKeyFormat form)
    {
        text = form.StripPrefix.Length > 0 && text.StartsWith(form.StripPrefix, StringComparison.Ordinal)
            ? text[form.StripPrefix.Length..]
            : text;
        if (Decode(text, form.Encoding) is not { Length: > 0 } bytes)
        {
            return null;
        }

        if (form.Scheme != SignatureScheme.EcdsaP256)
        {
            return new SigningKey(form.Scheme, bytes, null, fingerprint);
        }

        return Import(bytes) is { } key ? new SigningKey(form.Scheme, bytes, key, fingerprint) : null;
    }

    /// <summary>The signature of the parts in their order.</summary>
    /// <exception cref="InvalidOperationException">The key can only verify.</exception>
    public byte[] Sign(params ReadOnlySpan<ReadOnlyMemory<byte>> content)
    {
        using var hash = _scheme switch
        {
            SignatureScheme.HmacSha256 => IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _bytes),
#pragma warning disable CA5350 // Twilio signs with HMAC-SHA1, whose use here does not rest on collisions.
            SignatureScheme.HmacSha1 => IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, _bytes),
#pragma warning restore CA5350
            _ => throw new InvalidOperationException("This key only verifies."),
        };
        return Finish(hash, content);
    }

    /// <summary>Whether one of the signatures is this key's for the parts in their order.</summary>
    public bool Verifies(IReadOnlyList<byte[]> signatures, params ReadOnlySpan<ReadOnlyMemory<byte>> content)
    {
        switch (_scheme)
        {
            case SignatureScheme.EcdsaP256:
                using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
                {
                    var digest = Finish(hash, content);
                    return signatures.Any(s => VerifiesHash(digest, s));
                }

            case SignatureScheme.SharedSecret:
                return signatures.Any(s => CryptographicOperations.FixedTimeEquals(s, _bytes));

            default:
                var expected = Sign(content);
                var found = false;
                foreach (var signature in signatures)
                {
                    found |= CryptographicOperations.FixedTimeEquals(signature, expected);
                }

                return found;
        }
    }

    public override string ToString() => "***";

    private static byte[] Finish(IncrementalHash hash, ReadOnlySpan<ReadOnlyMemory<byte>> content)
    {
        foreach (var part in content)
        {
            hash.AppendData(part.Span);
        }

        return hash.GetHashAndReset();
    }

    private bool VerifiesHash(byte[] digest, byte[] signature)
    {
        // ECDsa makes no promise for several threads.
        lock (_lock)
        {
            try
            {
                return _public!.VerifyHash(digest, signature, DSASignatureFormat.Rfc3279DerSequence);
            }
            catch (CryptographicException)
            {
                // Not DER.
                return false;
            }
        }
    }

    private static byte[]? Decode(string text, KeyEncoding encoding)
    {
        try
        {
            return encoding switch
            {
                KeyEncoding.Hex => Convert.FromHexString(text),
                // The reference libraries take secrets without padding.
                KeyEncoding.Base64 => Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '=')),
                _ => Encoding.UTF8.GetBytes(text),
            };
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static ECDsa? Import(byte[] info)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(info, out var read);
            if (read == info.Length && key.KeySize == 256)
            {
                return key;
            }
        }
        catch (CryptographicException)
        {
            // No public key.
        }

        key.Dispose();
        return null;
    }
}
