using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Rates;

namespace SendProxy.Tests.Sending.Limits;

public sealed class VendorWindowCounterTests
{
    private const double Width = 60_000;
    private const double Length = 2_000_000;
    private static readonly LimitParameters Parameters = new(193.6, 30, 10, 1970) { WindowLength = new(Length), WindowPermits = 386 };

    // Bursts and pauses at random, the urgent, slots given back, edges seen more and less narrowly: wherever in them it lies, no window holds more.
    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    [InlineData(0.7)]
    [InlineData(1)]
    public void Permits_OfEachWindow_StayWithinItWhereverTheEdgeLies(double part)
    {
        var most = 0;
        for (var seed = 1; seed <= 30; seed++)
        {
            var random = new Random(seed);
            var book = new RateLimitState { Hold = 0 };
            var (now, edge, said) = (1e9, 1e9 + 123_000, 0.0);
            var permits = new List<double>();
            RateLimitReply? reply = null;
            while (now < 1e9 + 100_000_000)
            {
                now += random.Next(300) == 0 ? random.Next(1_500_000) : random.Next(20_000);
                var returned = random.Next(3) == 0 && reply is not null ? reply.Slots.Select(s => s.At).ToArray() : [];
                permits.RemoveRange(permits.Count - returned.Length, returned.Length);
                var begun = edge + (Math.Floor((now - edge) / Length) * Length);
                reply = book.Run(new(now), new RateLimitCall
                {
                    Process = "p",
                    Parameters = Parameters,
                    Want = random.Next(12),
                    Urgent = random.Next(8) == 0 ? 1 : 0,
                    Boundary = new(begun > said ? begun + random.Next(60_000) : 0),
                    BoundaryWidth = new(Width + 60_000 + random.Next(30_000)),
                    Returned = returned,
                });
                said = begun;
                permits.AddRange(Enumerable.Repeat(now, reply.Urgent));
                permits.AddRange(reply.Slots.Select(s => Math.Max(s.At.Value, now)));
            }

            var windows = permits.Where(p => p > 1e9 + 10_000_000).CountBy(p => Math.Floor((p - edge + (part * Width)) / Length)).Select(w => w.Value);
            Assert.True(reply!.InWindow);
            most = Math.Max(most, windows.Max());
        }

        Assert.InRange(most, Parameters.WindowPermits * 0.99, Parameters.WindowPermits + 4);
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(7, false)]
    public void Edge_NotSeenAgain_IsForgottenAfterFiveWindows(int windows, bool inForce)
    {
        var book = new RateLimitState { Hold = 0 };
        Tell(book, 1e9);
        Tell(book, 1e9 + 10_000);

        Assert.Equal(inForce, Tell(book, 1e9 + 20_000 + (windows * Length), edge: 0).InWindow);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1e9 + 700_000)]
    public void Edge_SeenElsewhere_IsForgottenForAMinute(double edge)
    {
        var book = new RateLimitState { Hold = 0 };
        for (var i = 0; i < 3; i++)
        {
            Tell(book, 1e9 + (i * Length));
        }

        Assert.True(Tell(book, 1e9 + (3 * Length)).InWindow);
        Assert.False(Tell(book, 1e9 + (4 * Length), edge).InWindow);
        Assert.False(Tell(book, 1e9 + (30 * Length)).InWindow);
        Tell(book, 1e9 + (40 * Length));
        Assert.True(Tell(book, 1e9 + (42 * Length)).InWindow);
    }

    private static RateLimitReply Tell(RateLimitState book, double now, double edge = 1e9) =>
        book.Run(new(now), new RateLimitCall { Process = "p", Parameters = Parameters, Boundary = new(edge), BoundaryWidth = new(Width) });
}
