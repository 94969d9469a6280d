using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using SendProxy.Redis;
using SendProxy.Tests.Redis;

namespace SendProxy.Tests.Issues;

// A Redis that is not there when the process starts was told to nobody.
public class RedisAbsentAtStartTests
{
    [Fact]
    public async Task Start_NobodyListens_IsToldOnceWithTheAddress()
    {
        var log = new Lines();
        await using var link = LinkUnderTest.Create("127.0.0.1:1", TimeSpan.FromMilliseconds(50), logger: log);

        link.Start();
        await log.First.WaitAsync(TestContext.Current.CancellationToken);
        for (var calls = 0; calls < 20; calls++)
        {
            await link.RunAsync(new RedisScript("ping", "return 1"), "key", []);
        }

        var line = Assert.Single(log.All);
        Assert.Contains("127.0.0.1:1 has not answered since the start", line, StringComparison.Ordinal);
    }

    private sealed class Lines : ILogger<RedisLink>
    {
        private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<string> All { get; } = [];

        public Task First => _first.Task;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            All.Enqueue(formatter(state, exception));
            _first.TrySetResult();
        }
    }
}
