using System.Buffers;
using SendProxy.Errors;
using SendProxy.Secrets;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Egress.Admission;

/// <summary>
/// Finds credentials in a caller's request, where none may be: the mounted credentials of every upstream, anywhere in the request; and
/// by its pattern, whatever looks like a credential of the route's vendor. Looks at the request as it is, and with one layer
/// of percent-encoding or of JSON's escapes undone. Not in compressed bodies, nor in what is encoded twice.
/// </summary>
/// <param name="mounted">By the upstream's name.</param>
/// <param name="pattern">Null where patterns are not looked for.</param>
/// <param name="searchesBodies">Whether the pattern is looked for in bodies too.</param>
internal sealed class CredentialDetector(IReadOnlyList<(string Upstream, WatchedSecret Secret)> mounted, CredentialPattern? pattern, bool searchesBodies)
{
    private const string Alike = "What looks like a credential of the route's vendor";

    /// <returns>Null where there is none; else 400 <c>secret_in_request</c>, which says where it stands, never the value.</returns>
    public Refusal? Find(HttpRequest request, string target, ReadOnlySpan<byte> body)
    {
        var plain = target.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(target) : target;
        if ((FindIn(target, isTarget: true) ?? FindIn(plain, isTarget: true)) is { } inTarget)
        {
            return Refused(inTarget, "target");
        }

        foreach (var (name, values) in request.Headers)
        {
            for (var i = 0; i < values.Count; i++)
            {
                if (FindIn(values[i] ?? "") is { } inHeader)
                {
                    return Refused(inHeader, $"header {name}");
                }
            }
        }

        return FindInBody(body) is { } inBody ? Refused(inBody, "body") : null;
    }

    /// <summary>The same for a piece of a body.</summary>
    public bool IsIn(ReadOnlySpan<byte> body) => FindInBody(body) is not null;

    private static Refusal Refused(string what, string where) => Refusal.NotSent(ProxyError.SecretInRequest, $"{what} stands in the {where} of the request. "
        + "The proxy adds the credential itself: remove it from the application. If it is none, guard.secretPatterns and guard.allowSecrets say what is looked for.");

    private string? FindIn(string text, bool isTarget = false)
    {
        for (var i = 0; i < mounted.Count; i++)
        {
            var set = mounted[i].Secret.Set;
            if (set.Current?.IsIn(text) == true || set.Next?.IsIn(text) == true || set.Previous?.IsIn(text) == true)
            {
                return Mounted(i);
            }
        }

        return pattern?.IsIn(text, isTarget) == true ? Alike : null;
    }

    private string? FindInBody(ReadOnlySpan<byte> body)
    {
        if (FindPlain(body) is { } found)
        {
            return found;
        }

        if (!EscapeDecoder.AreIn(body))
        {
            return null;
        }

        var plain = ArrayPool<byte>.Shared.Rent(body.Length);
        try
        {
            return FindPlain(plain.AsSpan(0, EscapeDecoder.Undo(body, plain)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(plain, clearArray: true);
        }
    }

    private string? FindPlain(ReadOnlySpan<byte> body)
    {
        for (var i = 0; i < mounted.Count; i++)
        {
            var set = mounted[i].Secret.Set;
            if (set.Current?.IsIn(body) == true || set.Next?.IsIn(body) == true || set.Previous?.IsIn(body) == true)
            {
                return Mounted(i);
            }
        }

        return searchesBodies && pattern?.IsIn(body) == true ? Alike : null;
    }

    private string Mounted(int at) => $"The credential of upstreams.{mounted[at].Upstream}";
}
