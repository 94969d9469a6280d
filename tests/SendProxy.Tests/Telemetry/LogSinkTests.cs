using System.Text;
using Prometheus;
using SendProxy.Telemetry;

namespace SendProxy.Tests.Telemetry;

public class LogSinkTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(5);

    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();

    [Fact]
    public async Task Dispose_LinesOfManyThreads_WritesEachWhole()
    {
        using var output = new MemoryStream();
        var sink = CreateStage(output);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(t => Task.Run(() =>
        {
            for (var i = 0; i < 500; i++)
            {
                Write(sink, $"{t}-{i}-ü\"");
            }
        })));
        await sink.DisposeAsync();

        var lines = Encoding.UTF8.GetString(output.ToArray()).Split('\n');
        Assert.Equal("", lines[^1]);
        Assert.Equal(4000, lines.Take(lines.Length - 1).Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement.GetProperty("text").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Write_ReaderStopped_DropsAndCountsAndDoesNotWait()
    {
        using var output = new StoppedStream();
        var sink = CreateStage(output);
        Write(sink, "first");
        Assert.True(output.Reached.Wait(Guard, TestContext.Current.CancellationToken));

        for (var i = 0; i < LogSink.MaxPendingBytes / 1000; i++)
        {
            Write(sink, new string('x', 1000));
        }

        var lost = Dropped;
        output.Gate.Set();
        await sink.DisposeAsync();
        Assert.InRange(lost, 1, 200);
        Assert.Equal(1 + (LogSink.MaxPendingBytes / 1000) - lost, output.Lines);
    }

    [Fact]
    public async Task Write_ReaderGone_CountsLinesAndGoesOn()
    {
        using var output = new StoppedStream { IsBroken = true };
        output.Gate.Set();
        var sink = CreateStage(output);

        Write(sink, "lost");
        await sink.DisposeAsync();

        Assert.Equal(1, Dropped);
    }

    private double Dropped => Prometheus.Metrics.WithCustomRegistry(_registry).CreateCounter("sendproxy_log_lines_dropped_total", "").Value;

    private LogSink CreateStage(Stream output) => new(Prometheus.Metrics.WithCustomRegistry(_registry), output);

    private static void Write(LogSink sink, string text) => sink.Write(text, static (json, t) => json.WriteString("text", t));

    private sealed class StoppedStream : MemoryStream
    {
        public ManualResetEventSlim Reached { get; } = new();

        public ManualResetEventSlim Gate { get; } = new();

        public bool IsBroken { get; init; }

        public int Lines { get; private set; }

        public override void Write(byte[] buffer, int offset, int count)
        {
            Reached.Set();
            Gate.Wait(Guard);
            if (IsBroken)
            {
                throw new IOException("gone");
            }

            Lines += buffer.AsSpan(offset, count).Count((byte)'\n');
        }

        protected override void Dispose(bool disposing)
        {
            Reached.Dispose();
            Gate.Dispose();
            base.Dispose(disposing);
        }
    }
}
