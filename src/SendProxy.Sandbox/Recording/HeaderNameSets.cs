using System.Collections.Concurrent;
using Microsoft.Extensions.Primitives;

namespace SendProxy.Sandbox.Recording;

/// <summary>One array for each different list of header names: clients repeat theirs with every request.</summary>
internal sealed class HeaderNameSets
{
    private const int SetsMax = 1024;
    private readonly ConcurrentDictionary<int, string[]> _sets = new();

    public string[] Of(IHeaderDictionary headers)
    {
        var hash = new HashCode();
        foreach (KeyValuePair<string, StringValues> header in headers) { hash.Add(header.Key, StringComparer.Ordinal); }
        var code = hash.ToHashCode();
        if (_sets.TryGetValue(code, out var known) && Same(known, headers)) { return known; }
        var names = headers.Keys.ToArray();
        if (_sets.Count < SetsMax) { _sets.TryAdd(code, names); }
        return names;
    }

    private static bool Same(string[] names, IHeaderDictionary headers)
    {
        var i = 0;
        foreach (KeyValuePair<string, StringValues> header in headers)
        {
            if (i >= names.Length || !string.Equals(names[i++], header.Key, StringComparison.Ordinal)) { return false; }
        }

        return i == names.Length;
    }
}
