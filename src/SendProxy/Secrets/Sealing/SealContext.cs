using System.Buffers.Binary;
using System.Text;

namespace SendProxy.Secrets.Sealing;

/// <summary>Which of an item's stored parts is sealed. The numbers are authenticated: never renumber.</summary>
internal enum SealPart : byte
{
    Body = 1,
    Metadata = 2,
    Response = 3,
}

/// <summary>
/// Where a sealed part belongs. It is authenticated, not stored: what was sealed for one place opens at no other, so
/// whoever can write the journal's file cannot move one item's body under another item or route.
/// </summary>
internal readonly record struct SealContext(string Queue, Guid Id, string Route, SealPart Part)
{
    /// <summary>
    /// Part, id in network order, then queue and route, each after its length: no two contexts are alike.
    /// </summary>
    public byte[] ToAssociatedData()
    {
        var queueBytes = Encoding.UTF8.GetByteCount(Queue);
        var routeBytes = Encoding.UTF8.GetByteCount(Route);
        var data = new byte[1 + 16 + 4 + queueBytes + 4 + routeBytes];
        data[0] = (byte)Part;
        Id.TryWriteBytes(data.AsSpan(1), bigEndian: true, out _);
        BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(17), queueBytes);
        Encoding.UTF8.GetBytes(Queue, data.AsSpan(21));
        BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(21 + queueBytes), routeBytes);
        Encoding.UTF8.GetBytes(Route, data.AsSpan(25 + queueBytes));
        return data;
    }
}
