using SendProxy.Sandbox.Faults;
using SendProxy.Sandbox.Keys;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Recording;

namespace SendProxy.Sandbox.Server;

/// <summary>One request to the API and what is known of it so far.</summary>
internal sealed class Exchange(HttpContext context, Clock clock, string requestId, RequestEntry entry)
{
    public HttpContext Context => context;

    public HttpRequest Request => context.Request;

    public DateTimeOffset Arrived => entry.At;

    /// <summary>The time now: later than <see cref="Arrived"/> when the request was held up.</summary>
    public DateTimeOffset Now => clock.Now;

    /// <summary>What <c>X-Request-Id</c> says.</summary>
    public string RequestId => requestId;

    /// <summary>The line in the log of requests.</summary>
    public RequestEntry Entry => entry;

    public string Path => entry.Path;

    /// <summary>The accepted API key; null before it was checked.</summary>
    public ApiKey? Key { get; set; }

    /// <summary>What the limits said; what they would say, before they were asked.</summary>
    public LimitVerdict Verdict { get; set; }

    /// <summary>What this request meets, or null.</summary>
    public Fault? Fault { get; set; }
}
