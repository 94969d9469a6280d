using SendProxy.Configuration;

namespace SendProxy.Upstreams.Connections;

/// <summary>Section <c>tls</c>. All files are PEM and read again when their content changes.</summary>
internal sealed record TlsOptions(string? CaFile, string? ClientCertificate, string? ClientKey)
{
    public static TlsOptions Read(SettingsReader tls)
    {
        var options = new TlsOptions(
            CaFile: tls.FilePath("caFile", null, "PEM file with the only authorities that are trusted for this upstream; read again when it changes."),
            ClientCertificate: tls.FilePath("clientCertificate", null, "PEM file with the certificate that is shown to the vendor; needs clientKey; read again when it changes."),
            ClientKey: tls.FilePath("clientKey", null, "PEM file with the certificate's private key, not encrypted."));
        tls.Check(options.ClientCertificate is null == options.ClientKey is null, "clientCertificate", "and clientKey are needed together");
        return options;
    }
}
