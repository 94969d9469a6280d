using System.Security.Cryptography;
using Microsoft.Extensions.ObjectPool;

namespace SendProxy.Secrets.Sealing;

/// <summary>
/// One AES-256 key and its public id. A class with a silent <see cref="ToString"/>: it must not be printed.
/// </summary>
internal sealed class SealKey : IDisposable
{
    public const int Bytes = 32;
    private readonly byte[] _key;

    /// <summary>Takes over the array, which is cleared at <see cref="Dispose"/>.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="file">Where it was read; empty where it was not read from a file.</param>
    public SealKey(byte[] key, string file = "")
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, Bytes);
        _key = key;
        File = file;
        Id = SealKeyId.Of(key);
        Ciphers = new DefaultObjectPoolProvider().Create(new CipherPolicy(key));
    }

    /// <summary>First 8 bytes of the key's SHA-256: tells which key opens an item, and nothing else about it.</summary>
    public SealKeyId Id { get; }

    /// <summary>The file that it was read from.</summary>
    public string File { get; }

    /// <summary>Each for one use at a time: <see cref="AesGcm"/> is not safe for several threads at once.</summary>
    public ObjectPool<AesGcm> Ciphers { get; }

    /// <summary>Writes it to its file, where none is. A new key of a new journal is not used before.</summary>
    /// <exception cref="SealKeyUnavailableException">It cannot be written, or another key is there.</exception>
    public void Save()
    {
        SealKeyFile.Create(File, _key);
        using var saved = SealKeyFile.Read(File);
        if (saved.Id != Id)
        {
            throw new SealKeyUnavailableException(File, "was put there while this process waited for space to make one; restart it to use that key");
        }
    }

    /// <summary>Another key of 32 bytes, for another use; tells nothing of this one (RFC 5869).</summary>
    public byte[] Derive(ReadOnlySpan<byte> purpose)
    {
        var derived = new byte[Bytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, derived, salt: [], info: purpose);
        return derived;
    }

    public void Dispose()
    {
        (Ciphers as IDisposable)?.Dispose();
        CryptographicOperations.ZeroMemory(_key);
    }

    public override string ToString() => "***";

    private sealed class CipherPolicy(byte[] key) : PooledObjectPolicy<AesGcm>
    {
        public override AesGcm Create() => new(key, ItemSeal.TagBytes);

        public override bool Return(AesGcm obj) => true;
    }
}
