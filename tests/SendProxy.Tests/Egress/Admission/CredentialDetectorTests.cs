using System.Text;
using System.Text.RegularExpressions;
using SendProxy.Egress.Admission;
using SendProxy.Errors;
using SendProxy.Secrets;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Tests.Egress.Admission;

public sealed class CredentialDetectorTests : IDisposable
{
    private const string Mounted = "any word of eight";
    private const string Alike = "sk_live_4f9Kq27XbT1mZ0c";
    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-detector-").FullName;

    [Theory]
    [InlineData("/v1/sms/send?k=any%20word%20of%20eight", "", "", "target")]
    [InlineData("/v1/sms/send", "x any word of eight x", "", "header X-A")]
    [InlineData("/v1/sms/send", "", "{\"text\":\"any word of eight\"}", "body")]
    [InlineData("/v1/sms/send", "", "{\"text\":\"any\\u0020word of eight\"}", "body")]
    [InlineData("/v1/sms/send", "", "text=any%20word%20of%20eight", "body")]
    [InlineData("/v1/sms/send", "Basic YW55IHdvcmQgb2YgZWlnaHQ=", "", "header X-A")]
    [InlineData("/v1/sms/send", "", "YW55IHdvcmQgb2YgZWlnaHQ=", "body")]
    [InlineData("/v1/sms/send?k=" + Alike, "", "", "target")]
    [InlineData("/v1/sms/send?k=sk%5Flive_4f9Kq27XbT1mZ0c", "", "", "target")]
    [InlineData("/v1/sms/send", Alike, "", "header X-A")]
    public void Find_Credential_IsSaidWhereItStands(string target, string header, string body, string where)
    {
        var refused = Find(Detector(), target, header, body);

        Assert.Equal(ProxyError.SecretInRequest, refused!.Error);
        Assert.Contains($"stands in the {where} of the request", refused.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(Mounted, refused.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("4f9Kq27XbT1mZ0c", refused.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/sms/send?k=more_information", "task_live_streaming", "a word of any kind")]
    [InlineData("/v1/sms/send", "", Alike)]
    [InlineData("/v1/sms/send", "any%2520word%2520of%2520eight", "any%2520word%2520of%2520eight")]
    public void Find_HonestRequest_IsNone(string target, string header, string body) => Assert.Null(Find(Detector(), target, header, body));

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void IsIn_PatternInABody_IsFoundWhereBodiesAreSearched(bool searchesBodies, bool expected) =>
        Assert.Equal(expected, Detector(searchesBodies).IsIn(Encoding.UTF8.GetBytes($"a {Alike} b")));

    [Fact]
    public void Find_NoPattern_FindsWhatIsMountedOnly()
    {
        var detector = Detector(pattern: false);

        Assert.Null(Find(detector, "/", Alike, ""));
        Assert.NotNull(Find(detector, "/", Mounted, ""));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Refusal? Find(CredentialDetector detector, string target, string header, string body) =>
        detector.Find(AdmissionRequest.Of("POST", target, ("X-A", header)).Request, target, Encoding.UTF8.GetBytes(body));

    private CredentialDetector Detector(bool searchesBodies = false, bool pattern = true)
    {
        File.WriteAllText(Path.Combine(_folder, "key"), Mounted);
        var metrics = new SecretMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
        var watched = new WatchedSecret("upstreams.shop.credential", new SecretFile(Path.Combine(_folder, "key")), SecretFormat.Any, metrics, TimeProvider.System);
        return new CredentialDetector([("shop", watched)], pattern ? CredentialPattern.For(new Regex("^(?:(sk|rk)_live_[A-Za-z0-9]{8,})$")) : null, searchesBodies);
    }
}
