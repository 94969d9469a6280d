using SendProxy.Egress.Admission;

namespace SendProxy.Tests.Egress.Admission;

public class HeaderValidatorTests
{
    [Theory]
    [InlineData("")]
    [InlineData("Content-Length: 5")]
    [InlineData("Transfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding: Chunked")]
    [InlineData("Expect: 100-Continue")]
    [InlineData("X-A: 1\nX-A: 2")]
    [InlineData("x_trace_id: 1")]
    [InlineData("X-A: a\tb")]
    [InlineData("X-A: caf\u00e9")]
    [InlineData("X-A: \u0080\u00ff")]
    [InlineData("Content-Type: application/json\nAuthorization: Bearer a\nContent-Encoding: gzip\nSendProxy-Token: t\nSendProxy-Timeout: 1s")]
    public void Check_WhatClientsSend_Passes(string lines) => Assert.Null(Check(lines));

    [Theory]
    [InlineData("Content-Length: 5\nTransfer-Encoding: chunked", "both Content-Length and Transfer-Encoding")]
    [InlineData("X-Content-Length: 5\nTransfer-Encoding: chunked", "both Content-Length and Transfer-Encoding")]
    [InlineData("Transfer-Encoding: gzip, chunked", "must be chunked, once")]
    [InlineData("Transfer-Encoding: chunked\nTransfer-Encoding: chunked", "must be chunked, once")]
    [InlineData("Transfer-Encoding: identity", "must be chunked, once")]
    [InlineData("X(A): b", "name of a header")]
    [InlineData("X\u0001A: b", "name of a header")]
    [InlineData("Transfer_Encoding: chunked", "has _")]
    [InlineData("Content_Length: 0", "has _")]
    [InlineData("SendProxy_Token: a", "has _")]
    [InlineData("Idempotency_Key: a", "has _")]
    [InlineData("X-A: a\u0001", "control character")]
    [InlineData("X-A: a\u007f", "control character")]
    [InlineData("X-A: a\u001b[2J", "control character")]
    [InlineData("Content-Type: a\nContent-Type: b", "Content-Type stands twice")]
    [InlineData("Content-Encoding: a\nContent-Encoding: a", "Content-Encoding stands twice")]
    [InlineData("Authorization: a\nAuthorization: b", "Authorization stands twice")]
    [InlineData("SendProxy-Token: a\nSendProxy-Token: b", "SendProxy-Token stands twice")]
    [InlineData("SendProxy-Timeout: 1s\nSendProxy-Timeout: 2s", "SendProxy-Timeout stands twice")]
    [InlineData("X-HTTP-Method-Override: DELETE", "would change what the request asks for")]
    [InlineData("X-HTTP-Method: DELETE", "would change what the request asks for")]
    [InlineData("x-method-override: DELETE", "would change what the request asks for")]
    [InlineData("X-Original-URL: /a", "would change what the request asks for")]
    [InlineData("X-Rewrite-URL: /a", "would change what the request asks for")]
    [InlineData("Expect: 200-ok", "Expect must be")]
    [InlineData("Expect: 100-continue\nExpect: 100-continue", "Expect must be")]
    public void Check_WhatServersReadInTwoWays_IsRefusedWithTheReason(string lines, string reason) =>
        Assert.Contains(reason, Check(lines), StringComparison.Ordinal);

    [Fact]
    public void Check_ChunksOnHttp10_AreRefused()
    {
        var request = AdmissionRequest.Post(("Transfer-Encoding", "chunked")).Request;
        request.Protocol = "HTTP/1.0";

        Assert.Contains("on HTTP/1.1", HeaderValidator.Check(request), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "Content-Length: 1", true)]
    [InlineData("HEAD", "Content-Length: 1", true)]
    [InlineData("GET", "Transfer-Encoding: chunked", true)]
    [InlineData("GET", "Content-Length: 0", false)]
    [InlineData("GET", "", false)]
    [InlineData("DELETE", "Content-Length: 1", false)]
    [InlineData("POST", "Content-Length: 1", false)]
    public void HasUnusualBody_Method_Decides(string method, string lines, bool expected) =>
        Assert.Equal(expected, HeaderValidator.HasUnusualBody(AdmissionRequest.Of(method, "/", AdmissionRequest.Headers(lines)).Request));

    private static string? Check(string lines) => HeaderValidator.Check(AdmissionRequest.Post(AdmissionRequest.Headers(lines)).Request);
}
