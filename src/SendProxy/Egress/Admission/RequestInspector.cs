using System.Buffers;
using SendProxy.Upstreams;

namespace SendProxy.Egress.Admission;

/// <summary>Looks through a caller's request: what goes on, and what must not be in it.</summary>
internal static class RequestInspector
{
    /// <param name="closes">Nothing else may use the connection after it.</param>
    /// <returns>Headers that go to the vendor, in the caller's order.</returns>
    public static List<KeyValuePair<string, string>> HeadersFor(HttpRequest request, bool closes)
    {
        // RFC 9110, 7.6.1: what Connection names is for this connection only.
        var connection = request.Headers.Connection.ToString();
        var headers = new List<KeyValuePair<string, string>>(request.Headers.Count);
        foreach (var (name, values) in request.Headers)
        {
            if (!HeaderNames.GoesUpstream(name) || (connection.Length > 0 && Names(connection, name)))
            {
                continue;
            }

            for (var i = 0; i < values.Count; i++)
            {
                headers.Add(new(name, values[i] ?? ""));
            }
        }

        if (closes)
        {
            headers.Add(new("Connection", "close"));
        }

        return headers;
    }

    /// <summary>
    /// Looks in what a reader sees who takes the request as it is, and one who undoes one layer of percent-encoding or of JSON's
    /// escapes. Not in base64, in compressed bodies and in what is encoded twice.
    /// </summary>
    /// <returns>Where something stands that looks like a live key: target, header or body; null where nothing does.</returns>
    public static string? FindSecret(HttpRequest request, string target, ReadOnlySpan<byte> body, IReadOnlyList<CredentialPattern> keys)
    {
        if (keys.Count == 0)
        {
            return null;
        }

        var plainTarget = target.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(target) : target;
        if (IsSecretIn(target, keys) || IsSecretIn(plainTarget, keys))
        {
            return "target";
        }

        foreach (var (_, values) in request.Headers)
        {
            for (var i = 0; i < values.Count; i++)
            {
                if (IsSecretIn(values[i] ?? "", keys))
                {
                    return "headers";
                }
            }
        }

        return IsSecretIn(body, keys) ? "body" : null;
    }

    /// <summary>The same for a body, or a piece of one.</summary>
    public static bool IsSecretIn(ReadOnlySpan<byte> body, IReadOnlyList<CredentialPattern> keys)
    {
        return Any(body, keys) || (EscapeDecoder.AreIn(body) && IsInPlain(body, keys));
    }

    private static bool Any(ReadOnlySpan<byte> body, IReadOnlyList<CredentialPattern> keys)
    {
        for (var i = 0; i < keys.Count; i++)
        {
            if (keys[i].IsIn(body))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsSecretIn(string text, IReadOnlyList<CredentialPattern> keys)
    {
        for (var i = 0; i < keys.Count; i++)
        {
            if (keys[i].IsIn(text))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsInPlain(ReadOnlySpan<byte> body, IReadOnlyList<CredentialPattern> keys)
    {
        var plain = ArrayPool<byte>.Shared.Rent(body.Length);
        try
        {
            var length = EscapeDecoder.Undo(body, plain);
            return Any(plain.AsSpan(0, length), keys);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(plain, clearArray: true);
        }
    }

    private static bool Names(string connection, string header) =>
        connection.Split(',', StringSplitOptions.TrimEntries).Contains(header, StringComparer.OrdinalIgnoreCase);
}
