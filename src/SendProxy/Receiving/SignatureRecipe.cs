using SendProxy.Configuration;
using SendProxy.Secrets;

namespace SendProxy.Receiving;

/// <summary>How the signature header is written.</summary>
internal enum SignatureFormat
{
    /// <summary>The prefix, then one signature: <c>sha256=...</c>.</summary>
    Single,

    /// <summary>Pairs between commas, the signatures under the version's name: <c>t=1,v1=...,v1=...</c>.</summary>
    KvList,

    /// <summary>Items between spaces, each a version, a comma and a signature: <c>v1,... v1,...</c>.</summary>
    SpaceList,
}

/// <summary>How a signature's bytes are written.</summary>
internal enum SignatureEncoding
{
    Hex,
    Base64,

    /// <summary>As they are: a shared secret.</summary>
    Utf8,
}

/// <summary>What is signed.</summary>
internal enum SignedContentKind
{
    /// <summary>The text of <c>content</c> with its placeholders filled.</summary>
    Template,

    /// <summary>The public URL and the sorted parameters of the form, or the body's hash in the URL: Twilio.</summary>
    UrlAndParams,
}

/// <summary>How a vendor signs, declared: section <c>verify</c> of a source, normally the preset's.</summary>
/// <param name="SignatureHeaders">Names of the header, the first one present counts.</param>
/// <param name="Version">Name of the signatures that count in a list.</param>
/// <param name="TimestampHeaders">Empty where there is none or it stands in the signature header.</param>
/// <param name="TimestampField">Its name in a kv-list; null where it is a header.</param>
/// <param name="IdHeaders">Needed where the content has <c>{id}</c>.</param>
internal sealed record SignatureRecipe(
    SigningKeyFormat Key,
    IReadOnlyList<string> SignatureHeaders,
    SignatureFormat Format,
    string Prefix,
    string Version,
    SignatureEncoding Encoding,
    IReadOnlyList<string> TimestampHeaders,
    string? TimestampField,
    bool TimestampInMilliseconds,
    IReadOnlyList<string> IdHeaders,
    SignedContentKind Form,
    SigningTemplate Content)
{
    /// <summary>Whether the signed content has a time in it.</summary>
    public bool HasTimestamp => TimestampHeaders.Count > 0 || TimestampField is not null;

    public static SignatureRecipe Read(SettingsReader verify)
    {
        var scheme = verify.Choice("scheme", "How it is signed (preset).",
            ("hmac-sha256", SignatureScheme.HmacSha256), ("hmac-sha1", SignatureScheme.HmacSha1),
            ("ecdsa-p256", SignatureScheme.EcdsaP256), ("shared-secret", SignatureScheme.SharedSecret));
        var signature = verify.Section("signature", "The header with the signature (preset).");
        var timestamp = verify.Section("timestamp", "Where the time of signing stands (preset); left out: nowhere.");
        var id = verify.Section("id", "Where the message's id stands, if it is signed (preset).");
        var written = verify.Text("content", "{body}", "What is signed (preset): text with {id}, {timestamp}, {body}, {url}.", 200)!;
        verify.Check(SigningTemplate.TryParse(written, out var content), "content",
            "may have {id}, {timestamp}, {url} and must have {body} once; no other braces");
        var recipe = new SignatureRecipe(
            Key: ReadKey(verify.Section("key", "How the secret's text becomes a key (preset)."), scheme),
            SignatureHeaders: Headers(signature, "headers", "Names of the header; the first one present counts (preset)."),
            Format: signature.Choice("format", "How the header is written (preset).",
                ("single", SignatureFormat.Single), ("kv-list", SignatureFormat.KvList), ("space-list", SignatureFormat.SpaceList)),
            Prefix: signature.Text("prefix", "", "What stands before a single signature (preset).", 50)!,
            Version: signature.Text("version", "v1", "Name of the signatures that count in a list (preset).", 50)!,
            Encoding: signature.Choice("encoding", "How the signature's bytes are written (preset).",
                ("hex", SignatureEncoding.Hex), ("base64", SignatureEncoding.Base64), ("utf8", SignatureEncoding.Utf8)),
            TimestampHeaders: Headers(timestamp, "headers", "Names of the header with the time (preset)."),
            TimestampField: timestamp.Text("field", null, "Its name in a kv-list (preset).", 50),
            TimestampInMilliseconds: timestamp.Choice("unit", "Unit of the time since 1970 (preset).", ("s", false), ("ms", true)),
            IdHeaders: Headers(id, "headers", "Names of the header with the id (preset)."),
            Form: verify.Choice("form", "What is signed: content, or the URL with the form's parameters (preset).",
                ("template", SignedContentKind.Template), ("url-and-params", SignedContentKind.UrlAndParams)),
            Content: content);
        recipe.CheckRelations(verify, signature);
        return recipe;
    }

    private static SigningKeyFormat ReadKey(SettingsReader key, SignatureScheme scheme) => new(
        scheme,
        key.Choice("encoding", "How the secret's text stands for bytes (preset).",
            ("utf8", KeyEncoding.Utf8), ("base64", KeyEncoding.Base64), ("hex", KeyEncoding.Hex)),
        key.Text("stripPrefix", "", "Removed from the secret's front (preset).", 50)!);

    private static IReadOnlyList<string> Headers(SettingsReader section, string key, string doc)
    {
        var names = section.Texts(key, [], doc, 5);
        section.Check(names.All(HeaderName.Fits), key, "must be header names: letters, digits and -");
        return names;
    }

    private void CheckRelations(SettingsReader verify, SettingsReader signature)
    {
        signature.Check(SignatureHeaders.Count > 0, "headers", "is required; name the header that carries the signature: [X-Signature]");
        verify.Check(!Content.HasTimestamp || HasTimestamp, "content", "has {timestamp}, and timestamp names neither headers nor field");
        verify.Check(!Content.HasId || IdHeaders.Count > 0, "content", "has {id}, and id names no headers");
        verify.Check(TimestampField is null || Format == SignatureFormat.KvList, "timestamp", "has field, which only a kv-list has");
    }
}
