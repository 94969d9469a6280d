using SendProxy.Egress.Admission;

namespace SendProxy.Tests.Egress.Admission;

public class RequestInspectorTests
{
    [Fact]
    public void HeadersFor_Request_PassesOnWhatIsTheVendors()
    {
        var request = AdmissionRequest.Post(AdmissionRequest.Headers(
            "Accept: */*\nX-A: 1\nX-A: 2\nConnection: Upgrade, X-Drop\nX-Drop: a\nUpgrade: h2c\nHTTP2-Settings: a\nTE: gzip\nExpect: 100-continue\nAccept-Encoding: gzip\n"
            + "Authorization: Bearer a\nCookie: b\nIdempotency-Key: c\nSendProxy-Token: d\nsec-fetch-mode: cors\nX-Forwarded-For: e\nReferer: f\nContent-Type: application/json")).Request;

        var headers = RequestInspector.HeadersFor(request, closes: false);

        Assert.Equal(["Accept=*/*", "X-A=1", "X-A=2", "Content-Type=application/json"], headers.Select(h => $"{h.Key}={h.Value}"));
    }

    [Fact]
    public void HeadersFor_ConnectionThatMustNotBeUsedAgain_SaysSo() =>
        Assert.Equal(["Connection=close"], RequestInspector.HeadersFor(AdmissionRequest.Post().Request, closes: true).Select(h => $"{h.Key}={h.Value}"));
}
