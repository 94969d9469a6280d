using SendProxy.Tests.Sending.Limits.Simulation;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Issues;

/// <summary>One absurd Retry-After must not stop a fleet for a day.</summary>
public sealed class AbsurdRetryAfterTests(ITestOutputHelper output)
{
    private const double Year = 365 * 24 * 3600;
    private static readonly DateTimeOffset Date = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 30)]
    [InlineData(3, 30)]
    [InlineData(6, 30)]
    [InlineData(9, 30)]
    public void RetryAfter_UnixTime_IsReadAsThatTime(int zeros, int seconds)
    {
        var unix = (Date.ToUnixTimeSeconds() + seconds).ToString(System.Globalization.CultureInfo.InvariantCulture) + new string('0', zeros);

        Assert.True(RateHeaders.TryRetryAfter(unix, Date, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(seconds), wait);
    }

    [Fact]
    public void RetryAfter_UnixTimeInThePast_IsNoWait()
    {
        Assert.True(RateHeaders.TryRetryAfter("1500000000", Date, out var wait));
        Assert.Null(wait);
    }

    [Theory]
    [InlineData("31536000")]
    [InlineData("315360000")]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    [InlineData("99999999999")]
    [InlineData("301")]
    public void Wait_LongerThanIsBelieved_IsTheBoundAndSaysSo(string text)
    {
        var hint = Read(text, TimeSpan.FromMinutes(5));

        Assert.Equal((TimeSpan.FromMinutes(5), true), (hint.Wait, hint.IsCapped));
    }

    [Theory]
    [InlineData("300", 300)]
    [InlineData("1800", 1800)]
    public void Wait_WithinTheSetting_IsTakenWhole(string text, int seconds)
    {
        var hint = Read(text, TimeSpan.FromHours(1));

        Assert.Equal((TimeSpan.FromSeconds(seconds), false), (hint.Wait, hint.IsCapped));
    }

    [Fact]
    public void Settings_MaxRetryAfter_BoundsTheLimitsOfItsRoutes()
    {
        using var file = new Configuration.SettingsFile();
        var settings = file.Load("""
            version: 1
            limits: { plan: { rate: 100/s }, other: { rate: 5/s } }
            upstreams: { api: { address: "https://api.example.com", credential: { file: key }, rateHeaders: { maxRetryAfter: 30m } } }
            routes: [{ name: send, upstream: api, match: { path: /send }, limits: [plan] }]
            """);

        Assert.Equal((TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(5)), (settings.Limits["plan"].MaxBlock, settings.Limits["other"].MaxBlock));
    }

    // The vendor asks for a year once and answers well from then on.
    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(50)]
    public void Fleet_OneAbsurdRefusal_SendsAgainAfterTheBound(int processes)
    {
        var figures = Run(new WorldOptions { Processes = processes, MaxBlockSeconds = 20, Refusal = (10, Year), Seconds = 60, Seed = 3 });
        var refused = (figures.Vendor.RefusedAt - 1e6) / 1e6;

        Assert.Equal(0, ArrivalsIn(figures, refused + 0.5, refused + 20));
        Assert.True(figures.UseIn(refused + 22, 60) >= 0.85, figures.UseIn(refused + 22, 60).ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(0, figures.Refusals);
    }

    // While the vendor goes on asking for a year, one request each bound shows it; then one shows that it answers again.
    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(50)]
    public void Fleet_VendorThatGoesOnRefusing_GetsOneProbeEachBound(int processes)
    {
        var figures = Run(new WorldOptions { Processes = processes, MaxBlockSeconds = 10, Outage = (10, 35, Year), Seconds = 80, Seed = 3 });

        var first = figures.Vendor.Arrivals.Where(a => !a.Taken).Min(a => (a.At - 1e6) / 1e6);
        var probes = figures.Vendor.Arrivals.Count(a => !a.Taken && (a.At - 1e6) / 1e6 > first + 2);
        Assert.InRange(probes, 3, 4);
        Assert.Equal(probes, ArrivalsIn(figures, first + 2, 45));
        Assert.True(figures.UseIn(60, 80) >= 0.85, figures.ToString());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public void Fleet_Unblocked_SendsAtOnce(int processes)
    {
        var figures = Run(new WorldOptions { Processes = processes, Refusal = (10, Year), Unblock = 15, Seconds = 30, Seed = 3 });

        Assert.Equal(0, ArrivalsIn(figures, 11, 15));
        Assert.True(figures.UseIn(16, 30) >= 0.85, figures.ToString());
        Assert.Equal(0, figures.Refusals);
    }

    // A process that forgot the block, and a store that was emptied: neither makes it longer than the bound.
    [Fact]
    public void Fleet_StoreEmptiedInABlock_BlockEndsWithinTheBound()
    {
        var figures = Run(new WorldOptions { MaxBlockSeconds = 15, Refusal = (10, Year), Away = (14, 15, true), Seconds = 50, Seed = 3 });

        Assert.Equal(0, ArrivalsIn(figures, 11, 25));
        Assert.True(figures.UseIn(30, 50) >= 0.85, figures.ToString());
    }

    private static RateHint Read(string retryAfter, TimeSpan most) => RateHeaders.Read(
        name => name == "Retry-After" ? retryAfter : null, new RateHeaderNames(null, null, null) { MaxRetryAfter = most }, Date);

    private static int ArrivalsIn(FleetFigures figures, double from, double to) =>
        figures.Vendor.Arrivals.Count(a => (a.At - 1e6) / 1e6 is var at && at >= from && at < to);

    private FleetFigures Run(WorldOptions options)
    {
        var figures = new FleetWorld(options).Run();
        output.WriteLine(figures.ToString());
        return figures;
    }
}
