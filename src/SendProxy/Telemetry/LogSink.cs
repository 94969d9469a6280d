using System.Buffers;
using System.Text.Json;
using Prometheus;

namespace SendProxy.Telemetry;

/// <summary>
/// Where log lines go: a bounded buffer and one thread that writes what has gathered in it at once, so that a slow reader of
/// standard output never holds a request. What does not fit is dropped and counted.
/// </summary>
internal sealed class LogSink : IAsyncDisposable
{
    /// <summary>Some 8,000 lines.</summary>
    internal const int MaxPendingBytes = 4 * 1024 * 1024;

    private const int UsualBytes = 64 * 1024;

    // The next write takes together what comes meanwhile: at most 200 a second, whatever the rate.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(5);

    // A reader that has stopped must not hold the end of the process.
    private static readonly TimeSpan LongestFlush = TimeSpan.FromSeconds(5);
    private static readonly JsonWriterOptions Options = new() { SkipValidation = true };

    private readonly ThreadLocal<Rendering> _rendering = new(static () => new Rendering());
    private readonly Lock _lock = new();
    private readonly AutoResetEvent _some = new(false);
    private readonly ManualResetEvent _ending = new(false);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Counter _dropped;
    private readonly Stream _output;
    private byte[] _pending = new byte[UsualBytes];
    private int _length;
    private int _lines;
    private bool _isIdle = true;

    public LogSink(IMetricFactory metrics, Stream output)
    {
        _dropped = metrics.CreateCounter("sendproxy_log_lines_dropped_total", "Log lines dropped because their reader was too slow.");
        _output = output;
        new Thread(WriteLines) { IsBackground = true, Name = "log" }.Start();
    }

    /// <summary>One JSON object on a line of its own; <paramref name="write"/> fills it.</summary>
    public void Write<T>(T state, Action<Utf8JsonWriter, T> write)
    {
        var rendering = _rendering.Value!;
        var line = rendering.Begin();
        line.WriteStartObject();
        write(line, state);
        line.WriteEndObject();
        Add(rendering.End());
    }

    /// <summary>Writes what is queued, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _ending.Set();
        _some.Set();
        await _over.Task.WaitAsync(LongestFlush).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Add(ReadOnlySpan<byte> line)
    {
        bool wake;
        lock (_lock)
        {
            if (_length + line.Length > MaxPendingBytes)
            {
                _dropped.Inc();
                return;
            }

            if (_length + line.Length > _pending.Length)
            {
                Array.Resize(ref _pending, Math.Min(Math.Max(_pending.Length * 2, _length + line.Length), MaxPendingBytes));
            }

            line.CopyTo(_pending.AsSpan(_length));
            _length += line.Length;
            _lines++;
            (wake, _isIdle) = (_isIdle, false);
        }

        if (wake)
        {
            _some.Set();
        }
    }

    private void WriteLines()
    {
        var batch = new byte[UsualBytes];
        for (var isEnding = false; !isEnding;)
        {
            _some.WaitOne();
            for (var (length, lines) = Take(ref batch); length > 0; (length, lines) = Take(ref batch))
            {
                try
                {
                    _output.Write(batch, 0, length);
                    _output.Flush();
                }
                catch (IOException)
                {
                    // Standard output is closed: logging must not end the proxy.
                    _dropped.Inc(lines);
                }

                _ending.WaitOne(Gathering);
            }

            isEnding = _ending.WaitOne(0);
        }

        _over.SetResult();
    }

    private (int Length, int Lines) Take(ref byte[] batch)
    {
        // What one stall took is not kept for ever.
        batch = batch.Length > 4 * UsualBytes ? new byte[UsualBytes] : batch;
        lock (_lock)
        {
            var taken = (_length, _lines);
            (_pending, batch, _length, _lines) = (batch, _pending, 0, 0);
            _isIdle = taken._length == 0;
            return taken;
        }
    }

    /// <summary>What one thread renders a line into.</summary>
#pragma warning disable CA1001 // Ends with its thread; the writer holds nothing but the buffer.
    private sealed class Rendering
#pragma warning restore CA1001
    {
        private const int UsualLine = 1024;

        private ArrayBufferWriter<byte> _buffer = new(UsualLine);
        private readonly Utf8JsonWriter _json = new(Stream.Null, Options);

        public Utf8JsonWriter Begin()
        {
            if (_buffer.Capacity > UsualBytes)
            {
                _buffer = new(UsualLine);
            }

            _buffer.ResetWrittenCount();
            _json.Reset(_buffer);
            return _json;
        }

        public ReadOnlySpan<byte> End()
        {
            _json.Flush();
            _buffer.Write("\n"u8);
            return _buffer.WrittenSpan;
        }
    }
}
