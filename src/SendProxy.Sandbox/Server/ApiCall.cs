namespace SendProxy.Sandbox.Server;

/// <summary>What an address of the API is for.</summary>
internal enum ApiCallKind
{
    Unknown,
    Send,
    Message,
    Session,
}

/// <summary>An address of the API.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Method">The one method it takes; null for an unknown address.</param>
/// <param name="Channel">Of a send, else null.</param>
/// <param name="Id">Of what is looked up, else null.</param>
internal readonly record struct ApiCall(ApiCallKind Kind, string? Method, string? Channel = null, string? Id = null)
{
    private const string Messages = "/v1/messages/";
    private const string Sessions = "/v1/sessions/";

    public static ApiCall Of(string path) => path switch
    {
        "/v1/sms/send" => new ApiCall(ApiCallKind.Send, "POST", "sms"),
        "/v1/whatsapp/send" => new ApiCall(ApiCallKind.Send, "POST", "whatsapp"),
        "/v1/email/send" => new ApiCall(ApiCallKind.Send, "POST", "email"),
        _ when Tail(path, Messages) is { } id => new ApiCall(ApiCallKind.Message, "GET", Id: id),
        _ when Tail(path, Sessions) is { } id => new ApiCall(ApiCallKind.Session, "GET", Id: id),
        _ => default,
    };

    private static string? Tail(string path, string prefix) =>
        path.Length > prefix.Length && path.StartsWith(prefix, StringComparison.Ordinal) ? path[prefix.Length..] : null;
}
