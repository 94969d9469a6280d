using SendProxy.Egress.Admission;

namespace SendProxy.Tests.Egress.Admission;

public class BrowserDetectorTests
{
    [Theory]
    [InlineData("Origin: http://evil.example", "Origin")]
    [InlineData("Origin: null", "Origin")]
    [InlineData("origin: http://localhost:4750", "origin")]
    [InlineData("Sec-Fetch-Site: none", "Sec-Fetch-Site")]
    [InlineData("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site")]
    [InlineData("Sec-Fetch-Mode: cors\nSec-Fetch-Dest: empty", "Sec-Fetch-Dest")]
    [InlineData("sec-ch-ua: \"Chromium\"", "sec-ch-ua")]
    [InlineData("Sec-Purpose: prefetch", "Sec-Purpose")]
    [InlineData("Sec-WebSocket-Key: a", "Sec-WebSocket-Key")]
    [InlineData("Access-Control-Request-Method: POST", "Access-Control-Request-Method")]
    [InlineData("Access-Control-Request-Private-Network: true", "Access-Control-Request-Private-Network")]
    [InlineData("Upgrade-Insecure-Requests: 1", "Upgrade-Insecure-Requests")]
    [InlineData("Referer: http://evil.example/", "Referer")]
    [InlineData("Referer: https://localhost:4750/", "Referer")]
    [InlineData("Referer: http://localhost:4750.evil.example/", "Referer")]
    [InlineData("Referer: http://localhost:4750@evil.example/", "Referer")]
    [InlineData("Referer: http://localhost:3000/", "Referer")]
    [InlineData("Referer: about:client", "Referer")]
    public void Find_WhatOnlyBrowsersSend_IsNamed(string lines, string name) => Assert.Equal(name, Find(lines));

    [Theory]
    [InlineData("sec-fetch-mode: cors\naccept-language: *\nuser-agent: node")]
    [InlineData("User-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0) WindowsPowerShell/5.1")]
    [InlineData("Referer: http://localhost:4750/v1/messages/y")]
    [InlineData("X-Origin: a\nSecret: b\nAccess-Control: c")]
    public void Find_WhatLibrariesSend_IsNone(string lines) => Assert.Null(Find(lines));

    private static string? Find(string lines) => BrowserDetector.Find(AdmissionRequest.Post(AdmissionRequest.Headers(lines)).Request);
}
