namespace SendProxy.Sandbox.Server;

/// <summary>Ids that never repeat and, with one seed, are the same in each run.</summary>
internal sealed class IdSource(ulong seed)
{
    private long _issued;

    /// <summary>The prefix and 16 hex digits.</summary>
    public string Next(string prefix)
    {
        var value = Mix(seed + (ulong)Interlocked.Increment(ref _issued));
        return string.Create(prefix.Length + 16, (prefix, value), static (span, state) =>
        {
            state.prefix.CopyTo(span);
            state.value.TryFormat(span[state.prefix.Length..], out _, "x16");
        });
    }

    // The finalizer of SplitMix64 (Steele, Lea, Flood 2014) is a bijection: different numbers stay different.
    private static ulong Mix(ulong z)
    {
        z *= 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
