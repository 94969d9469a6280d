using SendProxy.Sending.RateLimiting;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>Answers 429.</summary>
internal static class Refusals
{
    /// <summary>One that says nothing but how long to wait.</summary>
    public static VendorRefusal Wait(TimeSpan wait, bool isCapped = false) => new(wait, isCapped, null, null, null, IsDeclared: false);
}
