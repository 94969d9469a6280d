namespace SendProxy.Errors;

/// <summary>What a vendor's own client libraries read of an error, beside its status.</summary>
internal enum ErrorMember
{
    /// <summary>Nothing that a problem document does not have.</summary>
    None,

    /// <summary><c>"ok": false, "error": CODE</c>, as Slack's libraries read it.</summary>
    Text,

    /// <summary><c>"error": { "type", "code", "message" }</c>, as the libraries of Stripe and OpenAI read it: without it stripe-node takes a problem for a success.</summary>
    Object,
}

/// <summary>
/// How the proxy's own answers look to clients of one vendor, so that no library repeats by itself what may have been done.
/// docs/CLIENTS.md has each library's rules with their source.
/// </summary>
/// <param name="Member">What the problem document has besides.</param>
/// <param name="UndecidedStatus">The status where the vendor may have acted and the usual one would be repeated by clients.</param>
internal sealed record ClientErrorFormat(ErrorMember Member, int UndecidedStatus)
{
    /// <summary>422 is the one status for such a case that none of the libraries of docs/CLIENTS.md repeats, Slack's aside.</summary>
    public const int DefaultUndecidedStatus = 422;

    public static readonly ClientErrorFormat Default = new(ErrorMember.None, DefaultUndecidedStatus);

    /// <summary>Headers by which a server tells a library not to repeat: OpenAI and others made by Stainless, and Stripe.</summary>
    public static readonly IReadOnlyList<string> ShouldRetryHeaders = ["X-Should-Retry", "Stripe-Should-Retry"];

    /// <returns>The refusal as it is answered where a repetition could act a second time: with a status that is not repeated, and without Retry-After.</returns>
    public Refusal Undecided(Refusal refusal) => refusal with
    {
        Status = UndecidedStatus < 400 || IsRepeatedByClients(refusal.Status) ? UndecidedStatus : refusal.Status,
        RetryAfter = null,
    };

    // 409 is repeated too, and stays: it is only answered where a record of the key holds every repetition.
    private static bool IsRepeatedByClients(int status) => status is 408 or 425 or 429 or >= 500;
}
