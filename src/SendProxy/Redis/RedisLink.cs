using System.Diagnostics.CodeAnalysis;
using SendProxy.Secrets;
using StackExchange.Redis;

namespace SendProxy.Redis;

/// <summary>An answer that came in time, or none.</summary>
/// <param name="Result">Null where it did not come in time.</param>
/// <param name="MayHaveRun">Without a result: the script was sent, and may run yet.</param>
/// <param name="Refusal">Without a result: the kind of error that Redis answered with, as OOM or READONLY.</param>
internal readonly record struct RedisReply(RedisResult? Result, bool MayHaveRun = false, string? Refusal = null);

/// <summary>
/// A connection to the fleet's Redis, or to the journal's. Made in the background: nothing waits for it at start. A call waits at most
/// <see cref="RedisOptions.CallTimeout"/>; once one was not answered, no call waits until a probe is.
/// </summary>
internal sealed partial class RedisLink : IAsyncDisposable
{
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(250);
    private static readonly RedisKey[] ProbeKeys = ["{probe}"];

    private readonly ConfigurationOptions _configuration;
    private readonly RedisMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _trouble = new(0);
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(RedisChannel Channel, Action<RedisValue> Handler)> _subscriptions = [];
    private readonly List<Func<Task>> _whenUp = [];
    private ConnectionMultiplexer? _connection;
    private Task _keeping = Task.CompletedTask;
    private RedisKey[] _probeKeys = ProbeKeys;
    private string? _refusal;
    private int _up;

    // Redis answered once, or its absence at start was told.
    private bool _wasSeen;

    public RedisLink(RedisOptions options, SecretPoller secrets, RedisMetrics metrics, TimeProvider time, ILogger<RedisLink> logger)
    {
        Options = options;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _configuration = RedisConnector.Configure(
            options, options.Password is { } source ? secrets.Watch($"{options.Section}.password", source, SecretFormat.Any) : null);
    }

    public RedisOptions Options { get; }

    public bool IsUp => Volatile.Read(ref _up) == 1;

    /// <summary>Whether it is a Cluster; known once it is up.</summary>
    public bool IsCluster => _connection?.GetServers().Any(server => server.ServerType == ServerType.Cluster) == true;

    /// <summary>To be called before <see cref="Start"/>; the handler must not block.</summary>
    public void Subscribe(string channel, Action<RedisValue> handler) => _subscriptions.Add((RedisChannel.Literal(channel), handler));

    /// <summary>To be called before <see cref="Start"/>; runs each time that Redis answers again.</summary>
    public void WhenUp(Func<Task> action) => _whenUp.Add(action);

    /// <summary>Begins to connect, and returns at once.</summary>
    public void Start() => _keeping = Task.Run(KeepAsync);

    /// <summary>Runs a script. Never throws: what is not answered in time has no result.</summary>
    public ValueTask<RedisReply> RunAsync(RedisScript script, RedisKey key, RedisValue[] arguments) => RunAsync(script, [key], arguments);

    /// <param name="keys">With one hash tag.</param>
    public ValueTask<RedisReply> RunAsync(RedisScript script, RedisKey[] keys, RedisValue[] arguments) =>
        CallAsync(script.Name, keys, connection => connection.GetDatabase().ScriptEvaluateAsync(script.Text, keys, arguments));

    /// <summary>Asks the node that has a key: what no script may, as CONFIG GET or WAIT.</summary>
    /// <param name="name">The metric's word for it.</param>
    public ValueTask<RedisReply> AskNodeAsync(string name, RedisKey key, string command, params object[] arguments) => CallAsync(
        name, [key],
        async connection => await connection.GetDatabase().IdentifyEndpointAsync(key) is { } node
            ? await connection.GetServer(node).ExecuteAsync(command, arguments)
            : throw new TimeoutException("The key has no node."));

    private async ValueTask<RedisReply> CallAsync(string name, RedisKey[] keys, Func<ConnectionMultiplexer, Task<RedisResult>> send)
    {
        // The very first calls may come while the connection is being made: they wait for it as they would for an answer.
        if (!IsUp && !_first.Task.IsCompleted)
        {
            await _first.Task.WaitAsync(Options.CallTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _first.TrySetResult();
        }

        if (!IsUp || _connection is not { } connection)
        {
            return Failed(name, RedisOutcome.Spared);
        }

        var began = _time.GetTimestamp();
        var call = send(connection);
        try
        {
            var result = await call.WaitAsync(Options.CallTimeout, _time);
            _metrics.Took(name, _time.GetElapsedTime(began));
            _metrics.Called(name, RedisOutcome.Answered);
            return new RedisReply(result);
        }
        catch (TimeoutException) when (!call.IsCompleted)
        {
            Trip(keys, $"no answer within {Options.CallTimeout.TotalMilliseconds} ms");
            return Failed(name, RedisOutcome.TimedOut);
        }
        catch (RedisServerException e)
        {
            // Its first word is the kind (OOM, READONLY); each kind is told once in a row.
            var kind = e.Message.Split(' ')[0];
            if (Interlocked.Exchange(ref _refusal, kind) != kind)
            {
                Log.Refused(_logger, Options.Whose, name, kind);
            }

            return Failed(name, RedisOutcome.Refused) with { Refusal = kind };
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            Trip(keys, "it cannot be reached");
            return Failed(name, RedisOutcome.Unreachable);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _keeping;
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        _stop.Dispose();
        _trouble.Dispose();
    }

    private RedisReply Failed(string name, RedisOutcome outcome)
    {
        _metrics.Called(name, outcome);
        return new RedisReply(null, MayHaveRun: outcome is RedisOutcome.TimedOut or RedisOutcome.Unreachable);
    }

    // The probe asks for the key that was not answered: of a Cluster, its node.
    private void Trip(RedisKey[] keys, string why)
    {
        if (Interlocked.Exchange(ref _up, 0) == 1)
        {
            _probeKeys = keys;
            _metrics.Up(false);
            Log.Away(_logger, Options.Whose, why);
            _trouble.Release();
        }
    }

    private async Task KeepAsync()
    {
        try
        {
            await ConnectAsync();
            while (!_stop.IsCancellationRequested)
            {
                if (!IsUp && await ProbeAsync())
                {
                    await RiseAsync();
                }
                else if (!IsUp)
                {
                    TellAbsence("no answer");
                }

                // An idle link is not asked: the next call finds out.
                await _trouble.WaitAsync(IsUp ? Timeout.InfiniteTimeSpan : ProbeInterval, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The end.
        }
    }

    private async Task ConnectAsync()
    {
        while (_connection is null)
        {
            try
            {
                var connection = await ConnectionMultiplexer.ConnectAsync(_configuration).WaitAsync(_stop.Token);
                connection.ConnectionFailed += (_, failed) => Trip(ProbeKeys, failed.FailureType.ToString());
                foreach (var (channel, handler) in _subscriptions)
                {
                    await connection.GetSubscriber().SubscribeAsync(channel, (_, message) => handler(message), CommandFlags.FireAndForget);
                }

                _connection = connection;
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                TellAbsence(e.GetType().Name);
                await Task.Delay(ProbeInterval, _time, _stop.Token);
            }
        }
    }

    // Once: what was never there is not lost again and again.
    private void TellAbsence(string why)
    {
        if (!_wasSeen)
        {
            _wasSeen = true;
            Log.NotYet(_logger, Options.Whose, string.Join(", ", _configuration.EndPoints), why);
        }
    }

    private async Task<bool> ProbeAsync()
    {
        try
        {
            await _connection!.GetDatabase().ScriptEvaluateAsync("return 1", _probeKeys).WaitAsync(_stop.Token);
            return true;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return false;
        }
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "One failed follower must not end the loop that heals the link.")]
    private async Task RiseAsync()
    {
        _wasSeen = true;
        Volatile.Write(ref _up, 1);
        _first.TrySetResult();
        _metrics.Up(true);
        Log.Up(_logger, Options.Whose);
        foreach (var action in _whenUp)
        {
            try
            {
                await action();
            }
            catch (Exception e)
            {
                Log.FollowerFailed(_logger, Options.Whose, e);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(800, LogLevel.Information, "The {Whose}'s Redis answers")]
        public static partial void Up(ILogger logger, string whose);

        [LoggerMessage(801, LogLevel.Warning, "The {Whose}'s Redis is away ({Why}): nothing waits for it until it answers again")]
        public static partial void Away(ILogger logger, string whose, string why);

        [LoggerMessage(802, LogLevel.Warning, "The {Whose}'s Redis at {Address} has not answered since the start ({Why}): the process goes on without it, within its share, and tries again until it answers")]
        public static partial void NotYet(ILogger logger, string whose, string address, string why);

        [LoggerMessage(803, LogLevel.Warning, "The {Whose}'s Redis refused {Script}: {Error}")]
        public static partial void Refused(ILogger logger, string whose, string script, string error);

        [LoggerMessage(804, LogLevel.Error, "What was to follow the {Whose}'s Redis coming back failed")]
        public static partial void FollowerFailed(ILogger logger, string whose, Exception error);
    }
}
