using System.Security.Cryptography;
using CsCheck;
using SendProxy.Secrets.Sealing;

namespace SendProxy.Tests.Secrets.Sealing;

public class ItemSealTests
{
    private static readonly SealContext Place = new("outbox", Guid.CreateVersion7(), "sms", SealPart.Body);
    private static readonly Gen<byte[]> Plain = Gen.Byte.Array[0, 200];

    private static SealKey Key(int seed) => new(SHA256.HashData([(byte)seed]));

    private static ItemSeal Seal(params int[] keys) => new(new SealKeys([.. keys.Select(Key)]));

    [Fact]
    public void Open_SealedAtTheSamePlace_YieldsThePlainBytes()
    {
        var seal = Seal(1);

        Plain.Sample(plain =>
        {
            var stored = seal.Seal(plain, Place);
            Assert.True(seal.TryOpen(stored, Place, out var opened));
            Assert.Equal(plain, opened);
            Assert.Equal(plain.Length + ItemSeal.OverheadBytes, stored.Length);
        });
    }

    [Fact]
    public void Open_AnyBitFlipped_DoesNotOpen()
    {
        var seal = Seal(1);

        Plain
            .SelectMany(
                plain => Gen.Int[0, ((plain.Length + ItemSeal.OverheadBytes) * 8) - 1], (plain, bit) => (plain, bit))
            .Sample((plain, bit) =>
            {
                var stored = seal.Seal(plain, Place);
                stored[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(seal.TryOpen(stored, Place, out _));
            });
    }

    [Fact]
    public void Open_CutShort_DoesNotOpen()
    {
        var seal = Seal(1);
        var stored = seal.Seal("body"u8, Place);

        for (var length = 0; length < stored.Length; length++)
        {
            Assert.False(seal.TryOpen(stored.AsSpan(0, length), Place, out _));
        }
    }

    public static TheoryData<string> OtherPlaces => ["queue", "id", "route", "part", "shifted"];

    [Theory]
    [MemberData(nameof(OtherPlaces))]
    public void Open_AtAnotherPlace_DoesNotOpen(string place)
    {
        var seal = Seal(1);
        var stored = seal.Seal("body"u8, Place);

        var other = place switch
        {
            "queue" => Place with { Queue = "events" },
            "id" => Place with { Id = Guid.CreateVersion7() },
            "route" => Place with { Route = "email" },
            "part" => Place with { Part = SealPart.Response },
            _ => Place with { Queue = "outboxs", Route = "ms" },
        };

        Assert.False(seal.TryOpen(stored, other, out _));
    }

    [Fact]
    public void Open_AfterRotation_OldItemsOpenAndNewOnesNeedTheNewKey()
    {
        var (before, during, after) = (Seal(1), Seal(2, 1), Seal(2));
        var old = before.Seal("old"u8, Place);
        var fresh = during.Seal("new"u8, Place);

        Assert.True(during.TryOpen(old, Place, out _));
        Assert.True(after.TryOpen(fresh, Place, out _));
        Assert.False(after.TryOpen(old, Place, out _));
        Assert.False(before.TryOpen(fresh, Place, out _));
    }

    [Fact]
    public void Seal_Twice_DiffersEachTime()
    {
        var seal = Seal(1);

        Assert.NotEqual(seal.Seal("body"u8, Place), seal.Seal("body"u8, Place));
    }

    [Fact]
    public void Seal_StoredForm_BeginsWithVersionAndKeyId()
    {
        var stored = Seal(1).Seal("body"u8, Place);

        Assert.Equal(1, stored[0]);
        Assert.Equal(SHA256.HashData(SHA256.HashData([1]))[..8], stored[1..9]);
    }

    [Fact]
    public async Task Seal_FromManyThreads_EachOpens()
    {
        var seal = Seal(1);
        var cancel = TestContext.Current.CancellationToken;

        await Parallel.ForAsync(0, 500, cancel, (i, _) =>
        {
            Assert.True(seal.TryOpen(seal.Seal(BitConverter.GetBytes(i), Place), Place, out var plain));
            Assert.Equal(i, BitConverter.ToInt32(plain));
            return ValueTask.CompletedTask;
        });
    }
}
