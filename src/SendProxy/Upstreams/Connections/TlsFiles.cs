using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SendProxy.Configuration;

namespace SendProxy.Upstreams.Connections;

/// <summary>
/// The certificate authorities and the client certificate of one upstream, from the last version of their files that was good. New
/// connections use the current ones; open connections stay.
/// </summary>
internal sealed class TlsFiles
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    private readonly TlsOptions _options;
    private readonly ContentSettling _content = new(null);
    private X509Certificate2Collection _authorities = [];
    private X509Certificate2? _client;

    public TlsFiles(string upstream, TlsOptions options)
    {
        (Upstream, _options) = (upstream, options);
        _content.Look(Hash());
    }

    public string Upstream { get; }

    /// <summary>False where the upstream has no files of its own.</summary>
    public bool HasAny => _options.CaFile is not null || _options.ClientCertificate is not null || _options.ClientKey is not null;

    /// <summary>One look; the first one takes what is there.</summary>
    /// <returns>Null where nothing changed; else what is wrong with it, or empty where it is taken.</returns>
    public string? Look()
    {
        var hash = Hash();
        if (_content.Look(hash) is ContentLook.Unchanged or ContentLook.Unsettled)
        {
            return null;
        }

        _content.Take(hash);
        try
        {
            var authorities = new X509Certificate2Collection();
            if (_options.CaFile is { } file)
            {
                authorities.ImportFromPemFile(file);
                if (authorities.Count == 0)
                {
                    return "caFile has no certificate in PEM";
                }
            }

            var client = _options.ClientCertificate is { } certificate ? X509Certificate2.CreateFromPemFile(certificate, _options.ClientKey) : null;
            Volatile.Write(ref _authorities, authorities);
            Volatile.Write(ref _client, client);
            return "";
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            // The exception's text may quote the file; its type is enough.
            return $"clientCertificate, clientKey or caFile cannot be used ({e.GetType().Name}): PEM, readable, and the key of this certificate";
        }
    }

    public SslClientAuthenticationOptions Connection()
    {
        var ssl = new SslClientAuthenticationOptions();
        if (_options.CaFile is not null)
        {
            ssl.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Trusts(certificate as X509Certificate2, chain, errors);
        }

        if (_options.ClientCertificate is not null)
        {
            // A resumed session would still use the old certificate.
            ssl.AllowTlsResume = false;
            ssl.LocalCertificateSelectionCallback = (_, _, _, _, _) => Volatile.Read(ref _client)!;
        }

        return ssl;
    }

    // What the default does, but with the authorities of now.
    private bool Trusts(X509Certificate2? certificate, X509Chain? sent, SslPolicyErrors errors)
    {
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(ServerAuthentication);
        chain.ChainPolicy.CustomTrustStore.AddRange(Volatile.Read(ref _authorities));
        foreach (var element in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return chain.Build(certificate);
    }

    private string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in new[] { _options.CaFile, _options.ClientCertificate, _options.ClientKey })
        {
            try
            {
                hash.AppendData(path is null ? [] : SHA256.HashData(File.ReadAllBytes(path)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                hash.AppendData([0]);
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
