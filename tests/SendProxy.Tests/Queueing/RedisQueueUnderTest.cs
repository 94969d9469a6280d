using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.Queueing;
using SendProxy.Queueing.Redis;
using SendProxy.Queueing.Redis.Shards;
using SendProxy.Redis;
using SendProxy.Secrets.Sealing;
using SendProxy.Tests.Redis;
using SendProxy.Workers;

namespace SendProxy.Tests.Queueing;

/// <summary>A queue on a real Redis, under a prefix of its own. Its operations believe the test's clock instead of Redis'.</summary>
internal sealed class RedisQueueUnderTest : QueueUnderTest
{
    private const string TestClock = "local clock = { math.floor(ARGV[1] / 1000), (ARGV[1] % 1000) * 1000 }\n";
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    private readonly JournalOptions _options;
    private readonly string _address;
    private RedisLink? _link;
    private RedisJournal? _journal;
    private RedisMessageQueue? _queue;

    private RedisQueueUnderTest(JournalOptions options, string address) => (_options, _address) = (options, address);

    public override IMessageQueue Queue => _queue!;

    public RedisJournal Journal => _journal!;

    public string Prefix { get; private init; } = $"test-{Guid.NewGuid():n}";

    /// <summary>As if it ran on another machine; null: on this one.</summary>
    public string? Place { get; private init; }

    /// <summary>How long a call waits for Redis; null: long.</summary>
    public TimeSpan? CallTimeout { get; private init; }

    private byte[] SealKey { get; init; } = Key;

    public static JournalOptions NewOptions() => new() { Kind = JournalKind.Redis, Path = "", Minimum = Durability.Memory, Shards = 1 };

    public static async Task<RedisQueueUnderTest> OpenAsync(JournalOptions options, string address, TimeSpan? callTimeout = null)
    {
        var opened = new RedisQueueUnderTest(options, address) { CallTimeout = callTimeout };
        await opened.StartAsync();
        return opened;
    }

    /// <summary>A second process on the same journal, with the same clock.</summary>
    public async Task<RedisQueueUnderTest> OpenAnotherAsync(string? place = null, bool otherKey = false, int? shards = null)
    {
        var other = new RedisQueueUnderTest(_options with { Shards = shards ?? _options.Shards }, _address)
        {
            Prefix = Prefix,
            Time = Time,
            Place = place,
            SealKey = otherKey ? RandomNumberGenerator.GetBytes(32) : Key,
        };
        await other.StartAsync();
        return other;
    }

    public override async Task RestartAsync()
    {
        await KillAsync();
        await StartAsync();
    }

    /// <summary>It says goodbye to nobody.</summary>
    public async Task KillAsync()
    {
        await _journal!.AbandonAsync();
        await _link!.DisposeAsync();
        _link = null;

        // A child that another test starts in this moment holds the name until it executes its own program.
        using var place = new InstancePlace(Place);
        await RedisProcess.UntilAsync(() => Task.FromResult(Place is not null || place.IsDead(_journal.Calls.Instance)), "The name of the dead is not free.");
    }

    public override async ValueTask DisposeAsync()
    {
        if (_link is not null)
        {
            await _queue!.DisposeAsync();
            await _link.DisposeAsync();
        }
    }

    private async Task StartAsync()
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(Registry);
        _link = LinkUnderTest.Create(_address, CallTimeout, prefix: Prefix);
        var context = new WorkerContext(new WorkerMetrics(factory, Time), Time, NullLoggerFactory.Instance);
        var keys = new SealKeys([new SealKey([.. SealKey], "test")]);
        _journal = new RedisJournal(_options, _link, keys, factory, context, new RedisJournalParts(() => 0.5, new QueueScripts(TestClock), Place));
        await _journal.OpenAsync(CancellationToken.None);
        _queue = new RedisMessageQueue(_journal);
    }
}
