using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Sandbox.Keys;

/// <summary>An accepted API key, known by its fingerprint and its account.</summary>
/// <param name="Account">Whose key it is; several keys may belong to one account.</param>
/// <param name="Fingerprint">First 8 hex digits of the key's SHA-256.</param>
internal sealed record ApiKey(string Account, string Fingerprint);

/// <summary>The accepted keys. They can be changed while requests run.</summary>
internal sealed class ApiKeys
{
    /// <summary>The account of keys that name none.</summary>
    public const string DefaultAccount = "acct_sandbox";

    private const string Scheme = "Bearer ";
    private FrozenDictionary<string, ApiKey> _byHeader = FrozenDictionary<string, ApiKey>.Empty;

    public ApiKeys(IEnumerable<string> keys) => Replace(keys);

    /// <summary>Accepts these and no others. Each is <c>key</c> or <c>account=key</c>.</summary>
    public void Replace(IEnumerable<string> keys)
    {
        var all = new Dictionary<string, ApiKey>(StringComparer.Ordinal);
        foreach (var text in keys)
        {
            var mark = text.IndexOf('=', StringComparison.Ordinal);
            var (account, key) = mark < 0 ? (DefaultAccount, text) : (text[..mark], text[(mark + 1)..]);
            all[Scheme + key] = new ApiKey(account, Fingerprint(key));
        }

        Volatile.Write(ref _byHeader, all.ToFrozenDictionary(StringComparer.Ordinal));
    }

    /// <summary>The fingerprints of the accepted keys.</summary>
    public IReadOnlyList<ApiKey> All => Volatile.Read(ref _byHeader).Values;

    /// <returns>The key of an <c>Authorization</c> header, or null when it is none that is accepted.</returns>
    public ApiKey? Find(string? authorization) =>
        authorization is not null && Volatile.Read(ref _byHeader).TryGetValue(authorization, out var key) ? key : null;

    public static string Fingerprint(string key) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 4));
}
