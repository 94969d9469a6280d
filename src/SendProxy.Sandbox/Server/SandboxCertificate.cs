using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SendProxy.Sandbox.Server;

/// <summary>A certificate for this machine alone and the authority that signed it, both made at the start.</summary>
internal sealed class SandboxCertificate : IDisposable
{
    private const int LifetimeDays = 90;
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    private SandboxCertificate(X509Certificate2 authority, X509Certificate2 server)
    {
        Authority = authority;
        Server = server;
    }

    /// <summary>What a client must trust, without its key.</summary>
    public X509Certificate2 Authority { get; }

    /// <summary>For localhost, 127.0.0.1 and ::1, with its key.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>The authority in PEM.</summary>
    public string AuthorityPem => Authority.ExportCertificatePem();

    public static SandboxCertificate Make()
    {
        // Clients judge validity by the real clock, so this one does not follow a simulated time.
        var now = TimeProvider.System.GetUtcNow();
        var (from, to) = (now.AddDays(-1), now.AddDays(LifetimeDays));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest(
            "CN=SendProxy Sandbox CA", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        authorityRequest.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        var subjectKeyId = new X509SubjectKeyIdentifierExtension(authorityRequest.PublicKey, false);
        authorityRequest.CertificateExtensions.Add(subjectKeyId);
        using var authority = authorityRequest.CreateSelfSigned(from, to);

        using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", serverKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([ServerAuthentication], false));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(subjectKeyId));
        request.CertificateExtensions.Add(Names());
        using var server = request.Create(authority, from, to, RandomNumberGenerator.GetBytes(16));
        return new SandboxCertificate(
            X509CertificateLoader.LoadCertificate(authority.RawData), server.CopyWithPrivateKey(serverKey));
    }

    public void Dispose()
    {
        Authority.Dispose();
        Server.Dispose();
    }

    private static X509Extension Names()
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        return names.Build();
    }
}
