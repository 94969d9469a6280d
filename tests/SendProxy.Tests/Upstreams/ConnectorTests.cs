using System.Net;
using System.Net.Sockets;
using SendProxy.Upstreams.Connections;

namespace SendProxy.Tests.Upstreams;

// The deny list where it counts: at the connection, after DNS.
public class ConnectorTests
{
    private const string Public = "93.184.216.34";
    private readonly List<IPEndPoint> _dialled = [];
    private readonly Queue<string[]> _answers = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> DeniedNetworks => [.. AddressRules.Denied.SelectMany(d => new[] { First(d.Network), Last(d.Network) }).Distinct()];

    public static TheoryData<string> EmbeddedForms =>
    [
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:a00:1::", "2001:0:1:2:3:4:80ff:fffe", "2001:0:1:2:3:4:5601:5601",
        "2a00::5efe:10.0.0.1", "2a00::200:5efe:127.0.0.1",
    ];

    [Theory]
    [MemberData(nameof(DeniedNetworks))]
    [MemberData(nameof(EmbeddedForms))]
    public async Task Connect_DeniedAddress_IsRefusedAsLiteralAndByName(string address)
    {
        var connector = Create();
        _answers.Enqueue([address]);

        await Assert.ThrowsAsync<AddressRefusedException>(() => ConnectAsync(connector, address));
        await Assert.ThrowsAsync<AddressRefusedException>(() => ConnectAsync(connector, "api.example"));

        Assert.Empty(_dialled);
    }

    // Neither switch opens what no vendor has: link-local, metadata, reserved.
    [Theory]
    [MemberData(nameof(DeniedNetworks))]
    public async Task Connect_BothSwitches_OpenLoopbackAndPrivateOnly(string address)
    {
        var connector = Create(loopback: true, privateNetworks: true);
        var opens = AddressRules.Judge(IPAddress.Parse(address)) is AddressClass.Loopback or AddressClass.Private;

        if (opens)
        {
            await ConnectAsync(connector, address);
        }
        else
        {
            await Assert.ThrowsAsync<AddressRefusedException>(() => ConnectAsync(connector, address));
        }

        Assert.Equal(opens ? 1 : 0, _dialled.Count);
    }

    [Fact]
    public async Task Connect_NameThatChangesItsMind_IsRefusedAtTheSecondConnection()
    {
        var connector = Create();
        _answers.Enqueue([Public]);
        _answers.Enqueue(["127.0.0.1"]);

        await ConnectAsync(connector, "rebinds.example");
        await Assert.ThrowsAsync<AddressRefusedException>(() => ConnectAsync(connector, "rebinds.example"));

        Assert.Equal(new IPEndPoint(IPAddress.Parse(Public), 443), Assert.Single(_dialled));
    }

    // One answer of DNS for one connection: what was judged is what is dialled.
    [Fact]
    public async Task Connect_Name_IsAskedOnce()
    {
        _answers.Enqueue([Public]);

        await ConnectAsync(Create(), "api.example");

        Assert.Empty(_answers);
    }

    [Fact]
    public async Task Connect_MixedList_TriesOnlyWhatIsAllowed()
    {
        var connector = Create(failing: [Public]);
        _answers.Enqueue(["127.0.0.1", Public, "169.254.169.254", "2606:4700::1111", "::1", "10.0.0.1"]);

        await ConnectAsync(connector, "mixed.example");

        Assert.Equal([Public, "2606:4700::1111"], _dialled.Select(d => d.Address.ToString()));
    }

    [Fact]
    public async Task Connect_NoAddress_IsUnreachableNotRefused()
    {
        _answers.Enqueue([]);

        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(Create(), "none.example"));
    }

    private static Task<Stream> ConnectAsync(Connector connector, string host) => connector.ConnectAsync(new DnsEndPoint(host, 443), Token).AsTask();

    private static string First(IPNetwork network) => network.BaseAddress.ToString();

    private static string Last(IPNetwork network)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        for (var bit = network.PrefixLength; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }

        return new IPAddress(bytes).ToString();
    }

    private Connector Create(bool loopback = false, bool privateNetworks = false, params string[] failing) => new(
        loopback, privateNetworks,
        (_, _) => Task.FromResult(_answers.Dequeue().Select(IPAddress.Parse).ToArray()),
        (endpoint, _) =>
        {
            _dialled.Add(endpoint);
            return failing.Contains(endpoint.Address.ToString())
                ? Task.FromException<Stream>(new SocketException((int)SocketError.ConnectionRefused))
                : Task.FromResult(Stream.Null);
        });
}
