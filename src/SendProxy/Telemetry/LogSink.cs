using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using Prometheus;

namespace SendProxy.Telemetry;

/// <summary>
/// Where log lines go: a bounded channel and one writer, so that a slow reader of standard output never holds a request.
/// What does not fit is dropped and counted.
/// </summary>
internal sealed class LogSink : IAsyncDisposable
{
    private const int CapacityLines = 8192;
    private static readonly JsonWriterOptions Options = new() { SkipValidation = true };

    private readonly Channel<ArrayBufferWriter<byte>> _lines = Channel.CreateBounded<ArrayBufferWriter<byte>>(
        new BoundedChannelOptions(CapacityLines) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly Counter _dropped;
    private readonly Stream _output;
    private readonly Task _writing;

    public LogSink(IMetricFactory metrics, Stream output)
    {
        _dropped = metrics.CreateCounter("sendproxy_log_lines_dropped_total", "Log lines dropped because their reader was too slow.");
        _output = output;
        _writing = Task.Run(WriteLinesAsync);
    }

    /// <summary>One JSON object on a line of its own; <paramref name="write"/> fills it.</summary>
    public void Write<T>(T state, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            write(json, state);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        if (!_lines.Writer.TryWrite(buffer))
        {
            _dropped.Inc();
        }
    }

    /// <summary>Writes what is queued, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteLinesAsync()
    {
        while (await _lines.Reader.WaitToReadAsync())
        {
            try
            {
                while (_lines.Reader.TryRead(out var line))
                {
                    await _output.WriteAsync(line.WrittenMemory);
                }

                await _output.FlushAsync();
            }
            catch (IOException)
            {
                // Standard output is closed: logging must not end the proxy.
                _dropped.Inc();
            }
        }
    }
}
