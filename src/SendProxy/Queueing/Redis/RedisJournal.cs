using Prometheus;
using SendProxy.Queueing.Redis.Shards;
using SendProxy.Queueing.Sealed;
using SendProxy.Redis;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;
using SendProxy.Workers;

namespace SendProxy.Queueing.Redis;

/// <summary>What a journal on Redis does not know by itself.</summary>
/// <param name="Draw">Random, from 0 to 1.</param>
/// <param name="Scripts">Null: those with Redis' own clock.</param>
/// <param name="Place">Null: this machine.</param>
internal sealed record RedisJournalParts(Func<double> Draw, QueueScripts? Scripts = null, string? Place = null);

/// <summary>
/// The journal's Redis as a whole: opened when it answers, looked at again each time that it comes back, and told that this process
/// lives. What cannot be used is told with the remedy; once it can be, it is used without a restart.
/// </summary>
internal sealed class RedisJournal : IAsyncDisposable
{
    private const int ClusterShards = 8;

    // A Redis that starts together with this process is waited for so long; then the process starts without it.
    private static readonly TimeSpan StartWait = TimeSpan.FromSeconds(5);

    private readonly InstancePlace _place;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _looking = new(1);
    private readonly QueueWakes _wakes;
    private readonly InstancePulse _pulse;
    private readonly RedisDurability _durability;
    private readonly WorkerContext _context;
    private readonly Func<double> _draw;
    private Task _pulsing = Task.CompletedTask;
    private string? _problem = "not opened yet";
    private int _level = -1;

    public RedisJournal(JournalOptions options, RedisLink link, SealKeys keys, IMetricFactory metrics, WorkerContext context, RedisJournalParts parts)
    {
        _place = new InstancePlace(parts.Place);
        (Options, Time, _context, _draw) = (options, context.Time, context, parts.Draw);
        Logger = context.Loggers.CreateLogger<RedisJournal>();
        Seal = new ItemSeal(keys);
        Metrics = new QueueMetrics(metrics);
        Signals = new QueueSignals(Time);
        RedisMetrics = new RedisQueueMetrics(metrics);
        _wakes = new QueueWakes(Signals, _place.Name);
        Calls = new QueueCalls(link, _place.Name, RedisMetrics, Signals, Time, Logger) { Scripts = parts.Scripts ?? new QueueScripts() };
        Inserts = new RedisInserts(Calls, options, Metrics);
        Reads = new RedisReads(Calls);
        Claims = new RedisClaims(Calls, Signals, RedisMetrics, Time, Logger);
        Sweep = new RedisSweep(Calls, Inserts, _wakes, options, keys, Metrics);
        _pulse = new InstancePulse(Calls, _place, Sweep, _wakes, RedisMetrics, Logger);
        _durability = new RedisDurability(Calls, options);
        link.Subscribe(QueueWakes.Channel(link.Options.KeyPrefix), _wakes.Published);
        link.WhenUp(RiseAsync);
    }

    public JournalOptions Options { get; }

    public QueueCalls Calls { get; }

    public ItemSeal Seal { get; }

    public TimeProvider Time { get; }

    public QueueMetrics Metrics { get; }

    public RedisQueueMetrics RedisMetrics { get; }

    public QueueSignals Signals { get; }

    public ILogger Logger { get; }

    public RedisInserts Inserts { get; }

    public RedisReads Reads { get; }

    public RedisClaims Claims { get; }

    public RedisSweep Sweep { get; }

    /// <summary>What it keeps; null while it is not known.</summary>
    public Durability? Level => Volatile.Read(ref _level) is var level and >= 0 ? (Durability)level : null;

    /// <summary>Whether it is open and keeps as much as it must.</summary>
    public bool IsDurable => Volatile.Read(ref _problem) is null;

    private string Address => $"on Redis at {Calls.Link.Options.Connection}";

    /// <summary>Connects, and opens it; where Redis does not answer in some seconds, later and by itself.</summary>
    /// <exception cref="JournalUnavailableException">Redis answers, and cannot be used: with reason and remedy.</exception>
    /// <exception cref="SealKeyUnavailableException">No key opens what is stored.</exception>
    public async Task OpenAsync(CancellationToken cancel)
    {
        Calls.Link.Start();
        await _begun.Task.WaitAsync(StartWait, TimeProvider.System, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancel.ThrowIfCancellationRequested();
        if (!_begun.Task.IsCompleted)
        {
            RedisQueueLog.OpensLater(Logger, Calls.Link.Options.Connection);
        }
        else if (Volatile.Read(ref _problem) is { } problem)
        {
            throw new JournalUnavailableException(Address, problem);
        }
        else
        {
            var needed = (await Reads.SealKeysAsync()).Value ?? [];
            SealKeyNeeds.RefuseIfNothingOpens(Seal.Keys, needed, Address);
            QueueLog.MissingKeys(Logger, Seal.Keys, needed);
        }

        _pulsing = new WorkerLoop("pulse", _context).RunAsync(PulseAsync, _stop.Token);
    }

    /// <summary>The end in order: others may have what is still leased.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Calls.IsClosed)
        {
            return;
        }

        await StopAsync();
        await _pulse.LeaveAsync();
        Close();
    }

    /// <summary>As if the process had been killed.</summary>
    public async Task AbandonAsync()
    {
        await StopAsync();
        Close();
    }

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _pulsing;
    }

    private void Close()
    {
        Calls.IsClosed = true;
        _place.Dispose();
        Seal.Keys.Dispose();
        _stop.Dispose();
        _looking.Dispose();
    }

    /// <summary>One round of the loop that tells that this process lives.</summary>
    /// <returns>When the next one is due.</returns>
    public async Task<TimeSpan?> PulseAsync(CancellationToken stop)
    {
        if (Calls.Link.IsUp)
        {
            if (!IsDurable)
            {
                await LookAsync(); // It may have been mended without a new connection.
            }

            if (Calls.Shards.Count > 0)
            {
                await _pulse.PulseAsync();
                await Claims.TakeBackAsync();
            }
        }

        return InstancePulse.Interval * (0.9 + (0.2 * _draw()));
    }

    private async Task RiseAsync()
    {
        if (Calls.IsClosed)
        {
            return;
        }

        Calls.Rose();
        var answered = await LookAsync();
        if (Calls.Shards.Count > 0)
        {
            await _pulse.PulseAsync();
            await Claims.TakeBackAsync();
            _wakes.WakeAll();
        }

        if (answered)
        {
            _begun.TrySetResult();
        }
    }

    /// <summary>Opens the shards where they are not, and reads what Redis keeps.</summary>
    /// <returns>False where it did not answer.</returns>
    private async Task<bool> LookAsync()
    {
        await _looking.WaitAsync();
        try
        {
            var (answered, problem) = await ProblemAsync();
            if (answered && Interlocked.Exchange(ref _problem, problem) != problem && problem is not null)
            {
                RedisQueueLog.CannotUse(Logger, problem);
            }

            return answered;
        }
        finally
        {
            _looking.Release();
        }
    }

    private async Task<(bool Answered, string? Problem)> ProblemAsync()
    {
        if (Calls.Shards.Count == 0)
        {
            var first = new QueueShard(0, QueueShard.KeyOf(Calls.Link.Options.KeyPrefix, 0));
            if (await Calls.OpenAsync(first, Options.Shards > 0 ? Options.Shards : Calls.Link.IsCluster ? ClusterShards : 1) is not { } count)
            {
                return (false, null);
            }

            if (Options.Shards > 0 && Options.Shards != count)
            {
                return (true, $"has {count} shards, and journal.shards is {Options.Shards}; the number is fixed while there is data. Write shards: {count}, or begin with an empty journal under another keyPrefix");
            }

            Calls.Use([first, .. Enumerable.Range(1, count - 1).Select(n => new QueueShard(n, QueueShard.KeyOf(Calls.Link.Options.KeyPrefix, n)))]);
        }

        if (await _durability.ReadAsync() is not { } keeping)
        {
            return (false, null);
        }

        Tell(keeping);
        return (true, keeping.Level is not { } level ? $"does not tell what it keeps: {keeping.Reading}"
            : level < Options.Minimum ? $"keeps {level.WireName()} ({keeping.Reading}), and journal.minimum is {Options.Minimum.WireName()}; "
                + "make Redis keep more (appendonly yes, maxmemory-policy noeviction), or lower the minimum"
            : null);
    }

    private void Tell(RedisKeeping keeping)
    {
        var level = keeping.Level is { } known ? (int)known : -1;
        if (Interlocked.Exchange(ref _level, level) != level && keeping.Level is { } kept)
        {
            RedisQueueLog.Durable(Logger, kept.WireName(), keeping.Reading);
            if (keeping.Eviction is { } policy)
            {
                RedisQueueLog.Evicts(Logger, policy);
            }
        }

        RedisMetrics.Durable(keeping.Level);
    }
}
