using System.Globalization;
using CsCheck;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Rates;
using SendProxy.Tests.Redis;
using StackExchange.Redis;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>
/// The script and its twin give the same replies to the same calls. The script's clock is fed, in place of TIME; all else is as
/// in production. SENDPROXY_TWIN_OPERATIONS asks for more (eng/campaign.sh twin: a million).
/// </summary>
public sealed partial class AcquireScriptTwinTests(RedisFixture redis)
{
    private const int SequenceLength = 250;
    private const int Together = 8;

    private static readonly string FedClock = RedisRateLimitStore.Script.Text.Replace(
        "redis.call('TIME')", "{ tonumber(ARGV[#ARGV - 1]), tonumber(ARGV[#ARGV]) }", StringComparison.Ordinal).Replace("#A do", "#A - 2 do", StringComparison.Ordinal);

    private static readonly LimitParameters[] Shapes =
    [
        new(200, 18, 5, 22), new(176, 6, 2, 34), new(1.9, 1, 0, 1), new(1 / 6.05, 1, 0, 0), new(5000, 200, 20, 100), new(15.7, 26, 12, 4),
        new(176, 6, 2, 194) { WindowLength = new(1_000_000), WindowPermits = 186 }, new(193.6, 30, 10, 1970) { WindowLength = new(10_000_000), WindowPermits = 1986 },
        new(1.51, 3, 1, 97) { WindowLength = new(60_000_000), WindowPermits = 96 },
    ];

    private static int Operations =>
        int.TryParse(Environment.GetEnvironmentVariable("SENDPROXY_TWIN_OPERATIONS"), CultureInfo.InvariantCulture, out var asked) ? asked : 20_000;

    [Fact]
    public async Task Replies_ToTheSameCalls_AreTheSame()
    {
        Assert.NotEqual(RedisRateLimitStore.Script.Text, FedClock);
        var sequences = Operations / SequenceLength;
        var seed = Environment.GetEnvironmentVariable("SENDPROXY_TWIN_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture) : 1;
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Together).Select(async _ =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < sequences;)
            {
                await CompareAsync(new Random((seed * 1_000_003) + i));
            }
        }));
    }

    // One list of numbers: each constant of the script has its twin, under the same name.
    [Fact]
    public void Constants_OfTheScript_AreThoseOfTheTwin()
    {
        var script = RedisRateLimitStore.Script.Text.Split('\n').Select(l => ConstantLine().Match(l)).Where(m => m.Success)
            .ToDictionary(m => m.Groups["name"].Value.Replace("_", "", StringComparison.Ordinal), m => double.Parse(m.Groups["value"].Value, CultureInfo.InvariantCulture), StringComparer.OrdinalIgnoreCase);
        var twin = typeof(RateLimitConstants).GetFields(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Static)
            .ToDictionary(f => f.Name, f => (double)f.GetRawConstantValue()!, StringComparer.OrdinalIgnoreCase);

        Assert.Equal(RedisRateLimitStore.FirstReturned, (int)script["FirstReturned"]);
        script.Remove("FirstReturned");
        script.Remove("KeepMilliseconds");
        Assert.Equal(twin.OrderBy(t => t.Key, StringComparer.OrdinalIgnoreCase).Select(t => (t.Key.ToUpperInvariant(), t.Value)), script.OrderBy(s => s.Key, StringComparer.OrdinalIgnoreCase).Select(s => (s.Key.ToUpperInvariant(), s.Value)));
    }

    // A twin that forgets one thing the script does is found: the comparison can fail.
    [Fact]
    public async Task Replies_OfATwinThatSkipsTheDebt_Differ() =>
        await Assert.ThrowsAnyAsync<Exception>(() => CompareAsync(new Random(1), call => new RateLimitCall
        {
            Process = call.Process,
            Parameters = call.Parameters,
            Want = call.Want,
            SomeoneWaits = call.SomeoneWaits,
            Debt = 0,
        }));

    [System.Text.RegularExpressions.GeneratedRegex(@"^local (?<name>[A-Z][A-Z_]+) = (?<value>[0-9.]+)")]
    private static partial System.Text.RegularExpressions.Regex ConstantLine();

    private async Task CompareAsync(Random random, Func<RateLimitCall, RateLimitCall>? twist = null)
    {
        var book = new RateLimitState();
        var keys = RedisRateLimitStore.Keys($"twin-{Guid.NewGuid():n}", "plan");
        var sequence = new TwinSequence(random, Shapes[random.Next(Shapes.Length)]);
        for (var i = 0; i < SequenceLength; i++)
        {
            var (clock, call) = sequence.Next();
            var expected = book.Run(new(clock), twist is null ? call : twist(call));
            var result = await redis.Server.Database.ScriptEvaluateAsync(
                FedClock, keys, [.. RedisRateLimitStore.Arguments(call, "twin"), (long)clock / 1_000_000, (long)clock % 1_000_000]);
            var actual = RedisRateLimitStore.Read(result);
            Assert.True(
                expected with { Slots = [] } == actual with { Slots = [] } && expected.Slots.SequenceEqual(actual.Slots),
                $"operation {i}: the twin says {expected} [{string.Join(' ', expected.Slots)}], the script {actual} [{string.Join(' ', actual.Slots)}]");
            sequence.Heard(call, actual);
        }

        await redis.Server.Database.KeyDeleteAsync(keys);
    }
}
