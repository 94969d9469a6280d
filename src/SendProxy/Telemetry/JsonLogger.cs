using System.Globalization;

namespace SendProxy.Telemetry;

/// <summary>
/// One JSON line for each log entry: time, level, event, category, message and the named values. Exceptions are told by type
/// and message; their stack only where debug lines are written.
/// </summary>
internal sealed class JsonLoggerProvider(LogSink sink, TimeProvider time, LogLevel minimum) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new JsonLogger(categoryName, sink, time, LevelOf(categoryName));

    public void Dispose()
    {
    }

    // The framework's own lines below warning tell nothing an operator can use, and at debug they show headers.
    private LogLevel LevelOf(string category) =>
        category.StartsWith("SendProxy", StringComparison.OrdinalIgnoreCase) || minimum > LogLevel.Warning ? minimum : LogLevel.Warning;

    private sealed class JsonLogger(string category, LogSink sink, TimeProvider time, LogLevel minimum) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            var line = (category, logLevel, eventId, message: formatter(state, exception), exception, values: state as IReadOnlyList<KeyValuePair<string, object?>>);
            sink.Write((line, now: time.GetUtcNow(), stack: minimum <= LogLevel.Debug), static (json, x) =>
            {
                json.WriteString("time", x.now);
                json.WriteString("level", Word(x.line.logLevel));
                json.WriteString("event", x.line.eventId.Name ?? x.line.eventId.Id.ToString(CultureInfo.InvariantCulture));
                json.WriteString("category", x.line.category);
                json.WriteString("message", x.line.message);
                foreach (var (key, value) in x.line.values ?? [])
                {
                    if (key != "{OriginalFormat}")
                    {
                        json.WriteString(key, Convert.ToString(value, CultureInfo.InvariantCulture));
                    }
                }

                if (x.line.exception is { } e)
                {
                    json.WriteString("exception", x.stack ? e.ToString() : $"{e.GetType().Name}: {e.Message}");
                }
            });
        }

        private static string Word(LogLevel level) => level switch
        {
            LogLevel.Trace => "trace",
            LogLevel.Debug => "debug",
            LogLevel.Information => "info",
            LogLevel.Warning => "warn",
            LogLevel.Error => "error",
            _ => "fatal",
        };
    }
}
