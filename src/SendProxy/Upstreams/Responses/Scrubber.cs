using System.Text;
using SendProxy.Secrets;

namespace SendProxy.Upstreams.Responses;

/// <summary>Takes a key that an upstream echoes out of its answer, in place, so that lengths stay true.</summary>
internal static class Scrubber
{
    /// <returns>How many times the key stood there.</returns>
    public static int Scrub(Span<byte> body, Secret secret)
    {
        Span<byte> near = stackalloc byte[256];
        var key = Encoding.UTF8.TryGetBytes(secret.Reveal(), near, out var length) ? near[..length] : Encoding.UTF8.GetBytes(secret.Reveal());
        var found = Scrub(body, key);
        near.Clear();
        return found;
    }

    /// <returns>A stream that reads <paramref name="body"/> without the key, also where reads split it.</returns>
    public static Stream Through(Stream body, Secret secret, Action<int> found) => new ScrubbingStream(body, Encoding.UTF8.GetBytes(secret.Reveal()), found);

    /// <param name="key">The secret's bytes, from who reads on and on.</param>
    public static int Scrub(Span<byte> body, ReadOnlySpan<byte> key)
    {
        var count = 0;
        for (var at = body.IndexOf(key); at >= 0; at = body.IndexOf(key))
        {
            body = body[at..];
            body[..key.Length].Fill((byte)'*');
            body = body[key.Length..];
            count++;
        }

        return count;
    }

    /// <returns>The text without the key, or the same object when it is not in it.</returns>
    public static string Scrub(string text, Secret secret) =>
        text.Contains(secret.Reveal(), StringComparison.Ordinal)
            ? text.Replace(secret.Reveal(), new string('*', secret.Reveal().Length), StringComparison.Ordinal)
            : text;
}
