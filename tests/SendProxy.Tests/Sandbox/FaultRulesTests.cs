using SendProxy.Sandbox.Faults;

namespace SendProxy.Tests.Sandbox;

public class FaultRulesTests
{
    private readonly FaultRules _rules = new(seed: 7);

    [Fact]
    public void Pick_CountedRule_EndsAfterItsCount()
    {
        _rules.Add("unauthorized", count: 2);

        Assert.Equal(["unauthorized", "unauthorized", null], Names(3));
        Assert.Empty(_rules.Read());
    }

    [Fact]
    public void Pick_RuleWithSkip_LetsTheFirstPass()
    {
        _rules.Add(new FaultRule(Fault.Parse("accept-drop", out _)!) { Count = 1, Skip = 2 });

        Assert.Equal([null, null, "accept-drop", null], Names(4));
    }

    [Fact]
    public void Pick_Share_MeetsAboutThatShareAndRepeatsWithTheSeed()
    {
        var met = Share(seed: 7);

        Assert.InRange(met, 800, 1200);
        Assert.Equal(met, Share(seed: 7));
    }

    [Theory]
    [InlineData("/v1/sms/send", "sms", true)]
    [InlineData("/v1/email/send", "email", false)]
    public void Pick_RuleForPath_MeetsThatPathAlone(string path, string channel, bool met)
    {
        _rules.Add("accept-drop", count: null, path: "/v1/sms");

        Assert.Equal(met, _rules.Pick(path, channel) is not null);
    }

    [Theory]
    [InlineData("sms", false)]
    [InlineData("email", true)]
    [InlineData(null, false)]
    public void Pick_RuleForChannel_MeetsThatChannelAlone(string? channel, bool met)
    {
        _rules.Add(new FaultRule(Fault.Parse("accept-drop", out _)!) { Channel = "email" });

        Assert.Equal(met, _rules.Pick("/v1/x/send", channel) is not null);
    }

    [Fact]
    public void Pick_LookupWithoutPathInRule_IsSpared()
    {
        _rules.Add("accept-drop");

        Assert.Null(_rules.Pick("/v1/messages/msg_1", null));
    }

    [Fact]
    public void Remove_RuleInForce_EndsIt()
    {
        var id = _rules.Add("accept-drop", count: null);

        Assert.True(_rules.Remove(id));
        Assert.False(_rules.Remove(id));
        Assert.Null(_rules.Pick("/v1/sms/send", "sms"));
    }

    private static int Share(ulong seed)
    {
        var rules = new FaultRules(seed);
        rules.Add(new FaultRule(Fault.Parse("error-after", out _)!) { Share = 0.1 });
        return Enumerable.Range(0, 10_000).Count(_ => rules.Pick("/v1/sms/send", "sms") is not null);
    }

    private string?[] Names(int count) =>
        [.. Enumerable.Range(0, count).Select(_ => _rules.Pick("/v1/sms/send", "sms")?.Name)];
}
