using System.Net.Http.Headers;
using System.Text;
using SendProxy.Secrets;

namespace SendProxy.Upstreams.Responses;

/// <summary>
/// Takes a key that an upstream echoes out of its answer, in place, so that lengths stay true: as it is, and in the base64 of the
/// Basic scheme.
/// </summary>
internal static class Scrubber
{
    /// <returns>How many times the key stood there.</returns>
    public static int Scrub(Span<byte> body, Secret secret) => secret.Erase(body);

    /// <returns>A stream that reads <paramref name="body"/> without the key, also where reads split it.</returns>
    public static Stream Through(Stream body, Secret secret, Action<int> found)
    {
        var key = Encoding.UTF8.GetBytes(secret.Reveal());
        return new ScrubbingStream(new ScrubbingStream(body, key, found), Encoding.ASCII.GetBytes(Convert.ToBase64String(key).TrimEnd('=')), found);
    }

    /// <summary>The reason, the headers, and those of the body.</summary>
    /// <returns>How many of them had the key.</returns>
    public static int ScrubHead(HttpResponseMessage response, Secret secret)
    {
        var found = ScrubHeaders(response.Headers, secret) + ScrubHeaders(response.Content.Headers, secret);
        if (response.ReasonPhrase is { } reason && secret.Erase(reason) is var clean && !ReferenceEquals(clean, reason))
        {
            response.ReasonPhrase = clean;
            found++;
        }

        return found;
    }

    /// <summary>Headers or trailers. One whose name has the key is dropped: a name has no place for anything else.</summary>
    /// <returns>How many of them had the key.</returns>
    public static int ScrubHeaders(HttpHeaders headers, Secret secret)
    {
        List<(string Name, string? Value)>? dirty = null;
        foreach (var (name, values) in headers.NonValidated)
        {
            var text = values.ToString();
            if (secret.IsInName(name))
            {
                (dirty ??= []).Add((name, null));
            }
            else if (secret.Erase(text) is var clean && !ReferenceEquals(clean, text))
            {
                (dirty ??= []).Add((name, clean));
            }
        }

        foreach (var (name, value) in dirty ?? [])
        {
            headers.Remove(name);
            if (value is not null)
            {
                headers.TryAddWithoutValidation(name, value);
            }
        }

        return dirty?.Count ?? 0;
    }
}
