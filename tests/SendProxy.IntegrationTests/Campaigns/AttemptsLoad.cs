using System.Collections.Concurrent;
using SendProxy.Sandbox.Faults;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>
/// Callers as clumsy as they come: several at once for one message, through any proxy, impatient, asking again at once and
/// also after a success; and a vendor that meets them with every fault it has. Drawn from a seed.
/// </summary>
/// <param name="proxies">Where the proxies are now: they move when they are killed.</param>
internal sealed class AttemptsLoad(int seed, int sends, Func<int, Uri> proxies) : IDisposable
{
    private const int Workers = 24;
    private const int Proxies = 2;
    private const int MaxKnocks = 20;
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(30);

    // Those that make clients send twice, or give up too early; the others come more seldom.
    private static readonly string[] Breaking =
        ["accept-drop", "drop-before", "drop-unread", "error-before", "error-after", "delay", "delay-before", "partial-body", "slow-headers",
         "unavailable", "bad-gateway", "gateway-timeout", "rate-limited", "rate-limited-bare", "remaining-zero", "key-in-use"];

    // A session that lies answers 202 and sends nothing: no proxy can know.
    private static readonly string[] All = [.. FaultCatalog.All.Select(f => f.Name).Where(n => n != "session-lies")];

    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 200, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5) })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private int _begun;

    public ConcurrentBag<Call> Calls { get; } = [];

    public int Sends => sends;

    /// <summary>Messages begun so far.</summary>
    public int Begun => Math.Min(Volatile.Read(ref _begun), sends);

    public Task RunAsync(CancellationToken cancellation) => Task.WhenAll(Enumerable.Range(0, Workers).Select(async _ =>
    {
        while (Interlocked.Increment(ref _begun) is var number && number <= sends)
        {
            var random = Draw(number);
            var intent = new Intent($"{seed:x}-{number}", random.Next(100) < 15);
            var callers = random.Next(100) switch
            {
                < 60 => 1,
                < 85 => 2,
                _ => 3,
            };
            await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => CallerAsync(intent, new Random(random.Next()), cancellation)));
        }
    }));

    /// <summary>Asks again for each message of which some caller knows nothing sure, with the same key and without faults, until it is told.</summary>
    /// <returns>What each was told in the end.</returns>
    public async Task<IReadOnlyList<Call>> SettleAsync(CancellationToken cancellation)
    {
        var open = Calls.GroupBy(c => c.Intent)
            .Where(g => !g.Any(c => c.Told == Told.Success || c.IsRefused) && g.Any(c => c.Told != Told.No))
            .Select(g => g.Key).Order(StringComparer.Ordinal).ToArray();
        var settled = new ConcurrentBag<Call>();
        await Parallel.ForEachAsync(open, new ParallelOptions { MaxDegreeOfParallelism = Workers * 4, CancellationToken = cancellation }, async (name, token) =>
        {
            var number = int.Parse(name.AsSpan(name.IndexOf('-', StringComparison.Ordinal) + 1), System.Globalization.CultureInfo.InvariantCulture);
            var intent = new Intent(name, Draw(number).Next(100) < 15);
            Call call;
            var asked = 0;
            do
            {
                call = await intent.SendAsync(_client, proxies(asked % Proxies), null, Patient, token);
                Calls.Add(call);
                if (call.Told == Told.Success || call.IsRefused || call.Code == "outcome_unknown")
                {
                    break;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, token);
            }
            while (++asked < 100);
            settled.Add(call);
        });
        return [.. settled];
    }

    public void Dispose() => _client.Dispose();

    // HashCode would draw anew in each process.
    private Random Draw(int number) => new(unchecked((seed * 397) ^ number));

    private async Task CallerAsync(Intent intent, Random random, CancellationToken cancellation)
    {
        var (tries, knocks) = (random.Next(1, 5), 0);
        while (tries > 0)
        {
            var patience = random.Next(100) < 20 ? TimeSpan.FromMilliseconds(random.Next(20, 1500)) : Patient;
            var call = await intent.SendAsync(_client, proxies(random.Next(Proxies)), Fault(random), patience, cancellation);
            Calls.Add(call);
            if ((call.Told == Told.Success || call.IsRefused) && random.Next(100) < 80)
            {
                return;
            }

            // A proxy that was killed is back in a moment: its callers knock until it is.
            var gone = call.Code == nameof(HttpRequestException) && ++knocks < MaxKnocks;
            tries -= gone ? 0 : 1;
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, gone ? 500 : 50)), TimeProvider.System, cancellation);
        }
    }

    private static string? Fault(Random random)
    {
        var kind = random.Next(100) switch
        {
            < 35 => null,
            < 80 => Breaking[random.Next(Breaking.Length)],
            _ => All[random.Next(All.Length)],
        };

        // Some take longer than an attempt may.
        var length = random.Next(100) < 4 ? 1200 : random.Next(10, 200);
        return kind is null ? null : $"{kind};ms={length};times={random.Next(1, 4)}";
    }
}
