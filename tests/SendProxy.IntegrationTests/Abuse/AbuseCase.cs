using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Abuse;

/// <summary>Which listener a case is sent to.</summary>
internal enum At
{
    Egress,
    Webhooks,
    Metrics,
}

/// <summary>One request that must not reach the vendor.</summary>
/// <param name="Name">Unique; what a failing test shows.</param>
/// <param name="Bytes">One char a byte.</param>
/// <param name="Answer">As <see cref="Wire.AskAsync"/> tells it.</param>
/// <param name="Ends">The request is not complete: the sender ends its side.</param>
internal sealed record AbuseCase(string Name, string Bytes, string Answer, bool Ends = false, At At = At.Egress)
{
    public const string Malformed = "400 request_malformed";
    public const string NoRoute = "404 route_not_found";
    public const string Incomplete = "400 body_incomplete";
    public const string Host = "403 host_not_allowed";
    public const string Browser = "403 browser_refused";
    public const string Protocol = "501 protocol_unsupported";
    public const string Method = "405 method_not_allowed";

    /// <summary>A body that would be sent if the request got through: every case is one step away from a good request.</summary>
    public const string Body = EgressStage.Sms;

    public static readonly string Length = $"Content-Length: {Body.Length}\r\n";
    public static readonly string Chunked = $"{Body.Length:x}\r\n{Body}\r\n0\r\n\r\n";
    public static readonly string GoodRequest = Post(Length, Body);

    /// <param name="headers">Each with its line's end.</param>
    public static string Post(string headers, string body, string target = "/v1/sms/send", string host = "Host: localhost\r\n", string version = "HTTP/1.1") =>
        $"POST {target} {version}\r\n{host}Content-Type: application/json\r\n{headers}Connection: close\r\n\r\n{body}";

    /// <summary>A good request but for one more header line, or several.</summary>
    public static string With(string headers) => Post(headers + "\r\n" + Length, Body);

    public static string To(string target) => Post(Length, Body, target);

    public static string AtHost(string host) => Post(Length, Body, host: $"Host: {host}\r\n");
}
