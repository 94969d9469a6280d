using System.Text;

namespace SendProxy.Receiving;

/// <summary>Reads a signature header. Strict: what two readers could take differently is malformed.</summary>
internal static class SignatureHeader
{
    private const int MaxLength = 4096;
    private const int MaxSignatures = 20;

    /// <returns>The signatures that count, decoded, and the timestamp of a kv-list; null where the form is not the recipe's.</returns>
    public static (List<byte[]> Signatures, string? Timestamp)? Parse(string value, SignatureRecipe recipe)
    {
        if (value.Length is 0 or > MaxLength)
        {
            return null;
        }

        return recipe.Format switch
        {
            SignatureFormat.Single => ParseSingle(value, recipe),
            SignatureFormat.KvList => ParseKvList(value, recipe),
            _ => ParseSpaceList(value, recipe),
        };
    }

    /// <returns>Null where the text is not exactly what its bytes are written as.</returns>
    public static byte[]? Decode(ReadOnlySpan<char> text, SignatureEncoding encoding)
    {
        if (text.Length == 0)
        {
            return null;
        }

        if (encoding == SignatureEncoding.Utf8)
        {
            return Encoding.UTF8.GetBytes(text.ToString());
        }

        var bytes = new byte[text.Length];
        if (encoding == SignatureEncoding.Hex)
        {
            return Convert.FromHexString(text, bytes, out _, out var written) == System.Buffers.OperationStatus.Done
                ? bytes[..written]
                : null;
        }

        // Written again, so that white space and spare bits do not make two texts of one signature.
        return Convert.TryFromBase64Chars(text, bytes, out var count) && text.SequenceEqual(Convert.ToBase64String(bytes, 0, count))
            ? bytes[..count]
            : null;
    }

    private static (List<byte[]>, string?)? ParseSingle(string value, SignatureRecipe recipe) =>
        value.StartsWith(recipe.Prefix, StringComparison.Ordinal)
        && Decode(value.AsSpan(recipe.Prefix.Length), recipe.Encoding) is { } signature
            ? ([signature], null)
            : null;

    private static (List<byte[]>, string?)? ParseKvList(string value, SignatureRecipe recipe)
    {
        var signatures = new List<byte[]>();
        string? timestamp = null;
        foreach (var pair in value.Split(',', StringSplitOptions.TrimEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                return null;
            }

            var (name, rest) = (pair[..equals], pair[(equals + 1)..]);
            if (name == recipe.TimestampField)
            {
                if (timestamp is not null)
                {
                    return null;
                }

                timestamp = rest;
            }
            else if (name == recipe.Version && Decode(rest, recipe.Encoding) is { } signature)
            {
                signatures.Add(signature);
            }
        }

        return Some(signatures, timestamp);
    }

    private static (List<byte[]>, string?)? ParseSpaceList(string value, SignatureRecipe recipe)
    {
        var signatures = new List<byte[]>();
        foreach (var item in value.Split(' '))
        {
            // A segment without a comma and other versions are skipped, as most of the reference libraries do.
            var comma = item.IndexOf(',', StringComparison.Ordinal);
            if (comma >= 0 && item.AsSpan(0, comma).SequenceEqual(recipe.Version) && Decode(item.AsSpan(comma + 1), recipe.Encoding) is { } signature)
            {
                signatures.Add(signature);
            }
        }

        return Some(signatures, null);
    }

    private static (List<byte[]>, string?)? Some(List<byte[]> signatures, string? timestamp) =>
        signatures.Count is > 0 and <= MaxSignatures ? (signatures, timestamp) : null;
}
