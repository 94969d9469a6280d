using System.Text;
using CsCheck;
using SendProxy.Secrets;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Upstreams;

public class ScrubbingStreamTests
{
    // Overlaps itself, so that a beginning of the key can stand inside the key.
    private const string Key = "sk_sk_live_sk_";

    private static readonly Gen<string> Piece = Gen.OneOf(Gen.Const(Key), Gen.Const(Key[..7]), Gen.Const(Key[4..]), Gen.Const("sk_"), Gen.Const("*"), Gen.Char['a', 'z'].Select(c => $"{c}"));

    [Fact]
    public void Read_AnySplit_ScrubsAsInOnePiece() =>
        Gen.Select(Piece.Array[0, 40], Gen.Int[1, 30].Array[1, 20], Gen.Int[1, 50]).Sample((pieces, reads, wanted) =>
        {
            var text = Encoding.UTF8.GetBytes(string.Concat(pieces));
            var whole = text.ToArray();
            var expected = Scrubber.Scrub(whole, new Secret(Key));

            var (actual, found) = Through(text, reads, wanted);

            return whole.AsSpan().SequenceEqual(actual) && expected == found;
        });

    [Fact]
    public void Read_LongerThanTheBuffer_ScrubsEachKey()
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"{new string('x', 1001)}{Key}", 200)));

        var (actual, found) = Through(text, [100_000], 100_000);

        Assert.Equal((200, text.Length), (found, actual.Length));
        Assert.DoesNotContain(Key, Encoding.UTF8.GetString(actual), StringComparison.Ordinal);
    }

    // An event that has come whole goes on at once; only what may be the key's beginning waits.
    [Theory]
    [InlineData("data: x\n\n", "data: x\n\n")]
    [InlineData("data: sk_", "data: ")]
    public async Task Read_Event_IsNotHeldBack(string came, string expected)
    {
        using var inner = new MemoryStream(Encoding.UTF8.GetBytes(came));
        await using var stream = Scrubber.Through(inner, new Secret(Key), _ => { });
        var buffer = new byte[100];

        var read = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);

        Assert.Equal(expected, Encoding.UTF8.GetString(buffer, 0, read));
    }

    private static (byte[] Read, int Found) Through(byte[] text, int[] reads, int wanted)
    {
        var found = 0;
        using var stream = Scrubber.Through(new Pieces(text, reads), new Secret(Key), n => found += n);
        using var result = new MemoryStream();
        var buffer = new byte[wanted];
        while (stream.Read(buffer, 0, wanted) is var read and > 0)
        {
            result.Write(buffer, 0, read);
        }

        return (result.ToArray(), found);
    }

    /// <summary>Gives what it holds in pieces of given lengths, over and over.</summary>
    private sealed class Pieces(byte[] text, int[] lengths) : MemoryStream(text)
    {
        private int _next;

        public override int Read(byte[] buffer, int offset, int count) =>
            base.Read(buffer, offset, Math.Min(count, lengths[_next++ % lengths.Length]));
    }
}
