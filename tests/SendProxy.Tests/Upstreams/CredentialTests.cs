using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Secrets;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Tests.Upstreams;

public class CredentialTests
{
    private static readonly HostBinding Host = new("https", "api.example", 443);
    private readonly FakeTimeProvider _time = new();
    private readonly Prometheus.IMetricFactory _metrics = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());

    [Fact]
    public void Inject_BoundHost_WritesTheHeader()
    {
        var credential = Create(0, "sk_live_current1");
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://api.example/v1");

        Assert.True(credential.Inject(request, credential.Choose(0.5)!));

        Assert.Equal("Bearer sk_live_current1", request.Headers.GetValues("Authorization").Single());
    }

    [Theory]
    [InlineData("http://api.example/")]
    [InlineData("https://api.example:8443/")]
    [InlineData("https://api.example.evil/")]
    [InlineData("https://evil.example/")]
    public void Inject_OtherPlace_WritesNothing(string uri)
    {
        var credential = Create(0, "sk_live_current1");
        using var request = new HttpRequestMessage(HttpMethod.Post, uri);

        Assert.False(credential.Inject(request, credential.Choose(0.5)!));

        Assert.False(request.Headers.Contains("Authorization"));
    }

    [Theory]
    [InlineData(0.19, SecretSlot.Next)]
    [InlineData(0.2, SecretSlot.Current)]
    public void Choose_NextShare_TakesTheNextKeyBelowIt(double draw, object slot) =>
        Assert.Equal((SecretSlot)slot, Create(0.2, "sk_live_current1", "sk_live_next0001").Choose(draw)!.Slot);

    [Fact]
    public void Choose_AfterRejection_TakesTheOtherKeyUntilTheRestIsOver()
    {
        var credential = Create(0, "sk_live_current1", "sk_live_next0001");
        var current = credential.Choose(0.5)!;

        credential.Rejected(current);

        Assert.Equal(SecretSlot.Next, credential.Choose(0.5)!.Slot);
        _time.Advance(Credential.Rest);
        Assert.Equal(SecretSlot.Current, credential.Choose(0.5)!.Slot);
    }

    [Fact]
    public void Choose_OnlyKeyRejected_IsStillChosen()
    {
        var credential = Create(0, "sk_live_current1");
        credential.Rejected(credential.Choose(0.5)!);

        Assert.NotNull(credential.Choose(0.5));
        Assert.Null(credential.Other(credential.Choose(0.5)!));
    }

    [Fact]
    public void Inject_Base64Format_EncodesTheSecret()
    {
        var credential = Create(0, "AC1:token", format: "Basic {secret:base64}");
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://api.example/v1");

        credential.Inject(request, credential.Choose(0)!);

        Assert.Equal("Basic QUMxOnRva2Vu", request.Headers.GetValues("Authorization").Single());
    }

    private Credential Create(double nextShare, string current, string? next = null, string format = "Bearer {secret}")
    {
        var source = new FixedSource(current, next);
        var options = new CredentialOptions(source, [Host], nextShare, "Authorization", format, SecretFormat.Any);
        var watched = new WatchedSecret("test", source, SecretFormat.Any, new SecretMetrics(_metrics), _time);
        return new Credential(options, watched, new CredentialUsageTracker(new CredentialMetrics(_metrics, _time), _time, NullLogger<CredentialUsageTracker>.Instance), "sendapi", _time);
    }

    private sealed class FixedSource(string current, string? next) : ISecretSource
    {
        public string Place => "test";

        public IReadOnlyList<SecretReading> Read() => next is null
            ? [new(SecretSlot.Current, SecretState.Ok, current)]
            : [new(SecretSlot.Current, SecretState.Ok, current), new(SecretSlot.Next, SecretState.Ok, next)];
    }
}
