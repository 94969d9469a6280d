using System.CommandLine;
using SendProxy.Sandbox.Cli;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Server;

namespace SendProxy.Tests.Sandbox;

public class ServeOptionsTests
{
    private readonly ServeOptions _options = new();
    private readonly Command _command = new("serve");

    public ServeOptionsTests() => _options.AddTo(_command);

    [Fact]
    public void Read_NoArguments_YieldsTheDefaults()
    {
        var read = _options.Read(_command.Parse(""));
        var usual = new SandboxOptions();

        Assert.Equal(usual.Keys, read.Keys);
        Assert.Equal(usual.Sessions, read.Sessions);
        Assert.Equal(
            usual with { Keys = [], Sessions = [], Limits = [] }, read with { Keys = [], Sessions = [], Limits = [] });
    }

    [Fact]
    public void Read_ManyArguments_YieldsEach()
    {
        var read = _options.Read(_command.Parse(
            "--http off --https 8443 --key a=sk_live_1 sk_live_2 --idempotency success-only --idempotency-lifetime 30m "
            + "--limit-kind bucket --limit-requests 10 --limit-burst 20 --limit-concurrency 5 --seed 7 "
            + "--webhook-url http://127.0.0.1:9/x --signature github --time-scale 0.5 --max-ledger 10"));

        Assert.Null(read.Http);
        Assert.Equal(8443, read.Https!.Port);
        Assert.Equal(["a=sk_live_1", "sk_live_2"], read.Keys);
        Assert.Equal(IdempotencyMode.SuccessOnly, read.Idempotency.Mode);
        Assert.Equal(TimeSpan.FromMinutes(30), read.Idempotency.Lifetime);
        Assert.Equal(
            new LimitOptions { Kind = LimitKind.TokenBucket, Requests = 10, Burst = 20 }, read.Limits[0]);
        Assert.Equal(LimitKind.Concurrency, read.Limits[1].Kind);
        Assert.Equal(7UL, read.Seed);
        Assert.Equal(SendProxy.Sandbox.Webhooks.SignatureForm.GitHub, read.Webhooks.Target!.Signature);
        Assert.Equal(0.5, read.Webhooks.TimeScale);
        Assert.Equal(10, read.Memory.MaxLedgerEntries);
    }

    [Theory]
    [InlineData("--http nowhere")]
    [InlineData("--idempotency sometimes")]
    [InlineData("--idempotency-lifetime 24")]
    [InlineData("--limit-window 400d")]
    [InlineData("--limit-requests -1")]
    [InlineData("--max-ledger 0")]
    [InlineData("--time-scale 0")]
    [InlineData("--webhook-url localhost")]
    public void Parse_WrongValue_IsAnError(string arguments) => Assert.NotEmpty(_command.Parse(arguments).Errors);

    [Theory]
    [InlineData("250ms", 250)]
    [InlineData("1.5s", 1500)]
    [InlineData("2m", 120_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("1d", 86_400_000)]
    public void Durations_NumberAndUnit_AreRead(string text, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Durations.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1e3s")]
    [InlineData("5 s")]
    [InlineData("367d")]
    public void Durations_Other_AreNone(string text) => Assert.Null(Durations.Parse(text));
}
