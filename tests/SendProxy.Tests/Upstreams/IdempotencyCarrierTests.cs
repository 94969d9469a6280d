using SendProxy.Configuration;
using SendProxy.Tests.Configuration;
using SendProxy.Upstreams;

namespace SendProxy.Tests.Upstreams;

// A vendor that deduplicates at some paths only must not be believed to do so at the others: what may have arrived there is not repeated.
public sealed class IdempotencyCarrierTests : IDisposable
{
    private readonly SettingsFile _file = new();

    [Theory]
    [InlineData("[]", "/v1/send", true)]
    [InlineData("[/v1/send]", "/v1/send", true)]
    [InlineData("[/v1/send]", "/v1/send?x=1", true)]
    [InlineData("[/v1/send]", "/v1/send/", false)]
    [InlineData("[/v1/send]", "/v1/sends", false)]
    [InlineData("[/v1/send/]", "/v1/send/1", true)]
    [InlineData("[/v1/send/]", "/v1/send", false)]
    public void At_Path_IsDeduplicatedWhereListed(string paths, string target, bool expected) =>
        Assert.Equal(expected, Carrier(paths).At(target).Deduplicates);

    [Fact]
    public void At_OtherPath_WritesNoKey()
    {
        var elsewhere = Carrier("[/v1/send]").At("/v1/other");

        Assert.Equal((CarrierKind.None, (JsonPointer?)null), (elsewhere.Kind, elsewhere.Pointer));
    }

    [Theory]
    [InlineData("[]", null, "/v1/", true, true)]
    [InlineData("[/v1/send]", "/v1/send", null, true, true)]
    [InlineData("[/v1/send]", "/v1/other", null, false, false)]
    [InlineData("[/v1/send]", null, "/v1/", false, true)]
    [InlineData("[/v1/send]", null, "/v2/", false, false)]
    [InlineData("[/v1/]", null, "/v1/mail/", true, true)]
    public void Covers_Route_IsAllOfItsRequests(string paths, string? path, string? prefix, bool covers, bool touches)
    {
        var carrier = Carrier(paths);

        Assert.Equal((covers, touches), (carrier.Covers(path, prefix), carrier.Touches(path, prefix)));
    }

    [Theory]
    [InlineData("[v1/send]")]
    [InlineData("['/v1/send?a=1']")]
    public void Paths_NoPath_IsRefused(string paths) => Assert.Contains(_file.Errors(Config(paths)), e => e.Contains("must be paths", StringComparison.Ordinal));

    // Nothing keeps the keys, and the vendor keeps them at one of the route's paths only: each send of the others would be refused.
    [Theory]
    [InlineData("path: /v1/send", 0)]
    [InlineData("prefix: /v1/", 1)]
    public void DerivedKeys_RouteWithPathsThatAreNotDeduplicated_NeedsAStore(string match, int errors)
    {
        var text = Config("[/v1/send]") + $"journal: {{ kind: none }}\nroutes: [{{ name: all, upstream: vendor, match: {{ {match} }}, idempotency: {{ derive: content }} }}]\n";

        Assert.Equal(errors, _file.Errors(text).Count(e => e.Contains("nothing keeps the keys", StringComparison.Ordinal)));
    }

    public void Dispose() => _file.Dispose();

    private IdempotencyCarrier Carrier(string paths) => _file.Load(Config(paths)).Upstreams["vendor"].Options.Idempotency;

    private static string Config(string paths) =>
        $"version: 1\nroles: [egress]\nupstreams: {{ vendor: {{ address: 'https://api.vendor.example', credential: {{ file: key }}, idempotency: {{ carrier: body, pointer: /headers/key, paths: {paths} }} }} }}\n";
}
