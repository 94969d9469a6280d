using SendProxy.Sandbox.Server;

namespace SendProxy.Tests.Issues;

public class SandboxKeyTests
{
    // Who tries the proxy with the sandbox's own key must meet no warning about its form (presets/sendapi.yaml, credential.pattern).
    [Fact]
    public void Keys_LiveOneOfTheSandbox_HasTheFormThatThePresetExpects() =>
        Assert.Matches("^sk_live_[A-Za-z0-9_-]{8,}$", Assert.Single(new SandboxOptions().Keys, k => k.StartsWith("sk_live_", StringComparison.Ordinal)));
}
