using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SendProxy.Compare;

/// <summary>Where a run keeps its files, what it starts, and the upstream that all candidates send to.</summary>
internal sealed class Workshop : IDisposable
{
    public const string Key = "sk_live_bench0123456789";
    public const string WebhookSecret = "whsec_c2VuZHByb3h5LWJlbmNoLXNlY3JldC0wMTIzNDU2Nzg5";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly Lock PortLock = new();
    private static int _nextPort = 20_000;

    private readonly List<Child> _children = [];

    public Workshop(string root)
    {
        Root = root;
        // /tmp for what is read at a start, the project's own file system for what is written durably.
        Folder = Directory.CreateTempSubdirectory("sendproxy-compare-").FullName;
        Data = Directory.CreateDirectory(Path.Combine(root, "artifacts/bench/data", Path.GetFileName(Folder))).FullName;
        Peers = Path.Combine(root, "bench/compare/peers");
        WriteSecret("key", Key);
        WriteSecret("whsec", WebhookSecret);
        WriteSecret("seal", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        WriteCertificate();
    }

    public string Root { get; }

    public string Folder { get; }

    public string Data { get; }

    public string Peers { get; }

    public int HttpPort { get; } = FreePort();

    public int TlsPort { get; } = FreePort();

    public int? UpstreamId { get; private set; }

    public static int FreePort()
    {
        // Below the range that the kernel takes for outgoing connections, of which a run makes thousands.
        lock (PortLock)
        {
            while (true)
            {
                using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    probe.Bind(new IPEndPoint(IPAddress.Loopback, ++_nextPort));
                    return _nextPort;
                }
                catch (SocketException) when (_nextPort < 32_000)
                {
                }
            }
        }
    }

    public static async Task UntilAsync(Func<bool> there, string what)
    {
        for (var start = TimeProvider.System.GetTimestamp(); !there();)
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience)
            {
                throw new TimeoutException($"{what} did not come within {Patience.TotalSeconds} s");
            }

            await Task.Delay(Look, TimeProvider.System);
        }
    }

    public async Task StartUpstreamAsync()
    {
        var file = Fill("upstream.conf", "upstream.conf", new() { ["HTTP"] = $"{HttpPort}", ["TLS"] = $"{TlsPort}" });
        UpstreamId = Start("upstream", "nginx", "-c", file).Id;
        await Probe.AnsweredAsync(Upstream("http") + "/");
    }

    public string Upstream(string scheme) => $"{scheme}://127.0.0.1:{UpstreamPort(scheme)}";

    public int UpstreamPort(string scheme) => scheme == "https" ? TlsPort : HttpPort;

    /// <summary>Writes a peer's configuration with its places filled in.</summary>
    /// <returns>The file.</returns>
    public string Fill(string template, string name, Dictionary<string, string> values)
    {
        var text = File.ReadAllText(Path.Combine(Peers, template));
        foreach (var (place, value) in values.Append(new("DIR", Folder)).Append(new("DATA", Data)).Append(new("PEERS", Peers)).Append(new("KEY", Key)))
        {
            text = text.Replace($"@{place}@", value, StringComparison.Ordinal);
        }

        var file = Path.Combine(Folder, name);
        File.WriteAllText(file, text);
        return file;
    }

    public Child Start(string name, params string[] command) => Start(name, null, command);

    public Child Start(string name, IReadOnlyDictionary<string, string>? variables, string[] command)
    {
        var child = new Child(Path.Combine(Folder, name + ".log"), variables, command);
        _children.Add(child);
        return child;
    }

    public void Dispose()
    {
        if (!Directory.Exists(Folder))
        {
            return;
        }

        foreach (var child in Enumerable.Reverse(_children))
        {
            child.Dispose();
        }

        Directory.Delete(Folder, recursive: true);
        Directory.Delete(Data, recursive: true);
    }

    private void WriteSecret(string name, string value)
    {
        var file = Path.Combine(Folder, name);
        File.WriteAllText(file, value + "\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private void WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        File.WriteAllText(Path.Combine(Folder, "upstream.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(Folder, "upstream.key"), key.ExportPkcs8PrivateKeyPem());
    }
}
