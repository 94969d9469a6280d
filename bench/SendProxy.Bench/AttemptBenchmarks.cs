using System.Net;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Bench;

/// <summary>What the pipeline of a send costs, against the same request by a bare client over the same kind of connection.</summary>
[MemoryDiagnoser]
#pragma warning disable CA1515 // BenchmarkDotNet takes public types only.
public class AttemptBenchmarks : IDisposable
#pragma warning restore CA1515
{
    private readonly LoopbackVendor _vendor = new();
    private readonly SendingUnderBench _plain;
    private readonly SendingUnderBench _limited;
    private readonly HttpMessageInvoker _bare = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false, ActivityHeadersPropagator = null });

    public AttemptBenchmarks()
    {
        _plain = new SendingUnderBench(_vendor.Address, "");
        _limited = new SendingUnderBench(_vendor.Address, "limits: { plan: { rate: 1000000/s, counts: bucket, burst: 1000000 } }");
    }

    public static int Run()
    {
        // In this process: the types are the product's internal ones, and the repository's build is not the tool's to repeat.
        var job = Job.ShortRun.WithIterationCount(8).WithToolchain(InProcessEmitToolchain.Instance);
        var summary = BenchmarkRunner.Run<AttemptBenchmarks>(DefaultConfig.Instance.AddJob(job));
        return summary.HasCriticalValidationErrors ? 1 : 0;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _bare.Dispose();
        _plain.Dispose();
        _limited.Dispose();
        _vendor.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Baseline = true)]
    public async Task<int> BareCall()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_vendor.Address, "/v1/sms/send"))
        {
            Content = new ByteArrayContent(SendingUnderBench.Body),
            Version = HttpVersion.Version11,
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        request.Headers.TryAddWithoutValidation("Idempotency-Key", "019dbf6a-1c7e-7e1e-a4d4-1f6c9d6b2a11");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer sk_live_bench0123456789");
        using var answer = await _bare.SendAsync(request, CancellationToken.None);
        return (await answer.Content.ReadAsByteArrayAsync()).Length;
    }

    [Benchmark]
    public Task<int> Send() => _plain.SendAsync(IdempotencyKeyOrigin.Generated);

    [Benchmark]
    public Task<int> SendWithLimit() => _limited.SendAsync(IdempotencyKeyOrigin.Generated);

    [Benchmark]
    public Task<int> SendWithCallersKey() => _limited.SendAsync(IdempotencyKeyOrigin.Caller);

    /// <summary>Its time holds a wait of some 1 ms; its memory is that of two attempts.</summary>
    [Benchmark]
    public Task<int> SendTwoAttempts()
    {
        _vendor.FailNext();
        return _plain.SendAsync(IdempotencyKeyOrigin.Generated);
    }
}
