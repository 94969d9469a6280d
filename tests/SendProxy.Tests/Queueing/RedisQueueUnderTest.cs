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
    private readonly string _prefix;
    private RedisLink? _link;
    private RedisJournal? _journal;
    private RedisMessageQueue? _queue;

    private RedisQueueUnderTest(JournalOptions options, string address, string? prefix)
    {
        (_options, _address, _prefix) = (options, address, prefix ?? $"test-{Guid.NewGuid():n}");
    }

    public override IMessageQueue Queue => _queue!;

    public RedisJournal Journal => _journal!;

    public string Prefix => _prefix;

    public static JournalOptions NewOptions() => new() { Kind = JournalKind.Redis, Path = "", Minimum = Durability.Memory, Shards = 1 };

    /// <param name="prefix">Of another one, to be a second process on its journal.</param>
    public static async Task<RedisQueueUnderTest> OpenAsync(JournalOptions options, string address, string? prefix = null)
    {
        var opened = new RedisQueueUnderTest(options, address, prefix);
        await opened.StartAsync();
        return opened;
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
    }

    public override async ValueTask DisposeAsync()
    {
        await _queue!.DisposeAsync();
        await _link!.DisposeAsync();
    }

    private async Task StartAsync()
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(Registry);
        _link = LinkUnderTest.Create(_address, prefix: _prefix);
        var context = new WorkerContext(new WorkerMetrics(factory, Time), Time, NullLoggerFactory.Instance);
        var keys = new SealKeys([new SealKey([.. Key], "test")]);
        _journal = new RedisJournal(_options, _link, keys, factory, context, () => 0.5, new QueueScripts(TestClock));
        await _journal.OpenAsync(CancellationToken.None);
        _queue = new RedisMessageQueue(_journal);
    }
}
