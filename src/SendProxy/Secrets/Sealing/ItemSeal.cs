using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace SendProxy.Secrets.Sealing;

/// <summary>
/// Seals what the journal stores, AES-256-GCM. Stored form: version 1, key id (8 bytes), nonce (12), tag (16), then as
/// many bytes as there were. Nonces are random: a key is good for 2^32 items (NIST SP 800-38D, 8.3); at 1,000 items/s
/// with two parts each that is 24 days of full load, so a busy journal rotates its key monthly.
/// </summary>
internal sealed class ItemSeal(SealKeys keys)
{
    public const int TagBytes = 16;
    private const int NonceBytes = 12;
    private const byte Version = 1;
    private const int NonceAt = 1 + SealKeyId.Bytes;
    private const int TagAt = NonceAt + NonceBytes;

    /// <summary>How many bytes the stored form is longer.</summary>
    public const int OverheadBytes = TagAt + TagBytes;

    /// <summary>The keys that it seals and opens with.</summary>
    public SealKeys Keys => keys;

    /// <returns>The key that a stored form names; the default where it is too short to name one.</returns>
    public static SealKeyId KeyOf(ReadOnlySpan<byte> stored) => stored.Length < NonceAt ? default : SealKeyId.Read(stored[1..]);

    /// <summary>Seals under the first key.</summary>
    public byte[] Seal(ReadOnlySpan<byte> plain, SealContext context)
    {
        var key = keys.Current;
        var stored = new byte[OverheadBytes + plain.Length];
        stored[0] = Version;
        key.Id.Write(stored.AsSpan(1));
        var nonce = stored.AsSpan(NonceAt, NonceBytes);
        BufferedRandom.Fill(nonce);
        var cipher = key.Ciphers.Get();
        cipher.Encrypt(
            nonce, plain, stored.AsSpan(OverheadBytes), stored.AsSpan(TagAt, TagBytes), context.ToAssociatedData());
        key.Ciphers.Return(cipher);
        return stored;
    }

    /// <summary>
    /// False when the form or key is unknown, or a bit of it or of its place is not as it was sealed.
    /// </summary>
    public bool TryOpen(ReadOnlySpan<byte> stored, SealContext context, [NotNullWhen(true)] out byte[]? plain)
    {
        plain = null;
        if (stored.Length < OverheadBytes || stored[0] != Version
            || keys.Find(SealKeyId.Read(stored[1..])) is not { } key)
        {
            return false;
        }

        var opened = new byte[stored.Length - OverheadBytes];
        var cipher = key.Ciphers.Get();
        try
        {
            cipher.Decrypt(
                stored.Slice(NonceAt, NonceBytes), stored[OverheadBytes..], stored.Slice(TagAt, TagBytes), opened,
                context.ToAssociatedData());
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        finally
        {
            key.Ciphers.Return(cipher);
        }

        plain = opened;
        return true;
    }
}
