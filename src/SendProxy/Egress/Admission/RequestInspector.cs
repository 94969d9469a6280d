using SendProxy.Upstreams.Responses;

namespace SendProxy.Egress.Admission;

/// <summary>What of a caller's request goes on to the vendor.</summary>
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

    private static bool Names(string connection, string header) =>
        connection.Split(',', StringSplitOptions.TrimEntries).Contains(header, StringComparer.OrdinalIgnoreCase);
}
