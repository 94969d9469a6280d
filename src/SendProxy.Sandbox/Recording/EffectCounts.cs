using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Sandbox.Recording;

/// <summary>
/// Counts effects by name. It keeps 16 bytes of the name's SHA-256 and not the name, so a campaign of a million
/// messages costs some 40 MB. Names beyond the capacity are counted as untracked. Not safe for threads.
/// </summary>
internal sealed class EffectCounts(int capacity)
{
    // Samples are for a person who looks for the reason; the numbers are complete without them.
    private const int SamplesMax = 50;
    private readonly Dictionary<UInt128, int> _counts = [];
    private readonly Dictionary<string, int> _repeated = new(StringComparer.Ordinal);

    /// <summary>Different names seen.</summary>
    public int Distinct => _counts.Count;

    /// <summary>Names with more than one effect.</summary>
    public int Repeated { get; private set; }

    /// <summary>Effects beyond the first of their name.</summary>
    public long Surplus { get; private set; }

    /// <summary>Effects whose name was not tracked for want of room.</summary>
    public long Untracked { get; private set; }

    /// <summary>Some repeated names with their number of effects.</summary>
    public IReadOnlyDictionary<string, int> Samples => new Dictionary<string, int>(_repeated, StringComparer.Ordinal);

    public void Add(string name, ReadOnlySpan<char> scope)
    {
        var hash = Hash(name, scope);
        ref var count = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrNullRef(_counts, hash);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref count))
        {
            if (_counts.Count < capacity) { _counts.Add(hash, 1); } else { Untracked++; }
            return;
        }

        count++;
        Surplus++;
        if (count == 2) { Repeated++; }
        if (_repeated.Count < SamplesMax || _repeated.ContainsKey(name)) { _repeated[name] = count; }
    }

    public void Clear()
    {
        _counts.Clear();
        _repeated.Clear();
        (Repeated, Surplus, Untracked) = (0, 0, 0);
    }

    private static UInt128 Hash(string name, ReadOnlySpan<char> scope)
    {
        var length = Encoding.UTF8.GetMaxByteCount(name.Length + scope.Length + 1);
        Span<byte> text = length <= 1024 ? stackalloc byte[length] : new byte[length];
        var used = Encoding.UTF8.GetBytes(scope, text);
        text[used++] = 0;
        used += Encoding.UTF8.GetBytes(name, text[used..]);
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(text[..used], digest);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }
}
