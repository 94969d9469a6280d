using Microsoft.Extensions.Time.Testing;
using SendProxy.Outbox.Messages;
using SendProxy.Outbox.Worker;

namespace SendProxy.Tests.Outbox;

public class UpstreamRampTests
{
    private const int Places = 16;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly UpstreamRamp _ramp;
    private TimeSpan _rampUp = TimeSpan.FromSeconds(30);

    public UpstreamRampTests() => _ramp = new UpstreamRamp("sendapi", () => Options(_rampUp), _time, () => 0.5);

    [Fact]
    public void MayBegin_VendorWorks_IsEveryPlace()
    {
        Fail(UpstreamRamp.FailuresToRest - 1);
        _ramp.Ended(UpstreamHealth.Works, null);
        Fail(UpstreamRamp.FailuresToRest - 1);

        Assert.Equal((Places, default), _ramp.MayBegin(Places));
        Assert.False(_ramp.Rests);
    }

    [Fact]
    public void MayBegin_AfterFailuresInARow_RestsAndThenOneTries()
    {
        Fail(UpstreamRamp.FailuresToRest);

        var (none, wait) = _ramp.MayBegin(Places);
        _time.Advance(wait);
        var (one, _) = _ramp.MayBegin(Places);
        _ramp.Began(1);

        Assert.Equal((0, 1, 0), (none, one, _ramp.MayBegin(Places).Count));
        Assert.True(_ramp.Rests);
    }

    [Fact]
    public void MayBegin_ProbeFails_RestsLonger()
    {
        Fail(UpstreamRamp.FailuresToRest);
        var first = Rest();
        _ramp.Began(1);
        Fail(1);

        Assert.True(Rest() > first);
    }

    [Fact]
    public void MayBegin_ProbeGetsThrough_RampsUpInsteadOfBursting()
    {
        Fail(UpstreamRamp.FailuresToRest);
        Rest();
        _ramp.Began(1);
        _ramp.Ended(UpstreamHealth.Works, null);

        var seconds = new List<int>();
        for (var second = 0; second < 30; second++)
        {
            var begun = 0;
            for (var step = 0; step < 1000; step++, _time.Advance(TimeSpan.FromMilliseconds(1)))
            {
                begun += _ramp.MayBegin(Places).Count > 0 ? 1 : 0;
                _ramp.Began(_ramp.MayBegin(Places).Count);
            }

            seconds.Add(begun);
        }

        Assert.InRange(seconds[0], 1, 2);
        Assert.InRange(seconds[9], 6, 12);
        Assert.InRange(seconds[20], 80, 150);
        Assert.Equal(Places, _ramp.MayBegin(Places).Count);
    }

    [Fact]
    public void MayBegin_NoRampConfigured_IsOpenAfterTheProbe()
    {
        _rampUp = TimeSpan.Zero;
        Fail(UpstreamRamp.FailuresToRest);
        Rest();
        _ramp.Began(1);
        _ramp.Ended(UpstreamHealth.Works, null);

        Assert.Equal(Places, _ramp.MayBegin(Places).Count);
    }

    // A full limit, say: the next ones would fare the same for a moment, and nothing is known of the vendor.
    [Fact]
    public void MayBegin_NothingWasTried_PausesEverLonger()
    {
        _ramp.Ended(UpstreamHealth.Untried, null);
        var first = Rest();
        _ramp.Ended(UpstreamHealth.Untried, null);

        Assert.True(Rest() > first);
        Assert.False(_ramp.Rests);
    }

    // A message that is refused before anything was tried must not end the one probe's turn for good.
    [Fact]
    public void MayBegin_ProbeWasNotTried_AnotherTries()
    {
        Fail(UpstreamRamp.FailuresToRest);
        Rest();
        _ramp.Began(1);
        _ramp.Ended(UpstreamHealth.Untried, null);
        Rest();

        Assert.Equal(1, _ramp.MayBegin(Places).Count);
    }

    private void Fail(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _ramp.Ended(UpstreamHealth.Fails, null);
        }
    }

    private TimeSpan Rest()
    {
        var wait = _ramp.MayBegin(Places).Wait;
        _time.Advance(wait);
        return wait;
    }

    private static OutboxOptions Options(TimeSpan rampUp) => new(
        true, "", Places, null, TimeSpan.FromDays(3), 1 << 20, TimeSpan.FromSeconds(30), rampUp, new OutboxRetryOptions(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)));
}
