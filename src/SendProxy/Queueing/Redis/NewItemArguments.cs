using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using SendProxy.Queueing.Sealed;
using SendProxy.Secrets.Sealing;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis;

/// <summary>A sealed item as the operations take it, and the shard that it belongs on.</summary>
internal static class NewItemArguments
{
    /// <summary>What an item takes in Redis beside its sealed parts, measured; docs/OPERATING.md has the figures.</summary>
    public const int ItemBytes = 1024;

    // An answer's place: the metadata's length, metadata, body.
    private const int LengthBytes = 4;

    /// <summary>About how much an item takes.</summary>
    public static int BytesOf(SealedItem item) => ItemBytes + LengthBytes + item.SealedBytes;

    /// <summary>Items of one order key are on one shard, and so are items of one dedupe key that have no order key or the same.</summary>
    public static int ShardOf(SealedItem item, int shards)
    {
        if (shards == 1)
        {
            return 0;
        }

        var own = item.Item;
        return own.OrderKey is { } key ? ShardOf($"{own.Queue}\n{own.Route}\n{own.Group}\n{key}", shards)
            : own.Dedupe is { } dedupe ? ShardOf($"{dedupe.Scope}\n{dedupe.Key}", shards)
            : ShardOf(item.Id, shards);
    }

    /// <summary>Where an item is that has neither key.</summary>
    public static int ShardOf(Guid id, int shards)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]) % (uint)shards);
    }

    public static byte[] Id(Guid id) => id.ToByteArray(bigEndian: true);

    public static RedisValue Time(DateTimeOffset? time) => time is { } at ? at.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) : "";

    public static byte[] Payload(byte[] metadata, byte[] body)
    {
        var payload = new byte[LengthBytes + metadata.Length + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(payload, metadata.Length);
        metadata.CopyTo(payload, LengthBytes);
        body.CopyTo(payload, LengthBytes + metadata.Length);
        return payload;
    }

    /// <returns>Metadata, and what follows it; empty where the payload is not whole.</returns>
    public static (byte[] Metadata, byte[] Body) Split(byte[]? payload)
    {
        if (payload is null || payload.Length < LengthBytes || BinaryPrimitives.ReadInt32BigEndian(payload) is var length && (length < 0 || length > payload.Length - LengthBytes))
        {
            return ([], []);
        }

        return (payload[LengthBytes..(LengthBytes + length)], payload[(LengthBytes + length)..]);
    }

    public static RedisValue SealKey(byte[] metadata) => ItemSeal.KeyOf(metadata).ToString();

    /// <summary>Adds the arguments of one item, in the order in which store.lua reads them.</summary>
    public static void AddTo(List<RedisValue> arguments, SealedItem item)
    {
        var own = item.Item;
        arguments.Add(own.Queue);
        arguments.Add(Id(item.Id));
        arguments.Add(own.Route);
        arguments.Add(own.Group);
        arguments.Add(own.OrderKey ?? "");
        arguments.Add(own.Lane);
        arguments.Add(own.SchemaVersion);
        arguments.Add(Time(own.Due));
        arguments.Add(Time(own.Deadline));
        arguments.Add(Time(own.Expires));
        arguments.Add(own.IdempotencyKey ?? "");
        arguments.Add(own.KeyFingerprint ?? "");
        arguments.Add(SealKey(item.Metadata));
        arguments.Add(Payload(item.Metadata, item.Body));
        arguments.Add(own.Dedupe?.Scope ?? "");
        arguments.Add(item.DedupeHash is { } hash ? (byte[])[.. hash.Head, .. hash.Rest] : "");
        arguments.Add((long)(own.Dedupe?.Window.TotalMilliseconds ?? 0));
        arguments.Add(own.Dedupe?.MaxIds ?? 0);
        arguments.Add(BytesOf(item));
        arguments.Add(own.LeaseFor is null ? "0" : "1");
    }

    private static int ShardOf(string name, int shards)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        return (int)(BinaryPrimitives.ReadUInt32BigEndian(hash) % (uint)shards);
    }
}
