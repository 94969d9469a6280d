using Microsoft.AspNetCore.Http;
using SendProxy.Outbox.Intake;

namespace SendProxy.Tests.Outbox;

public class IntakeHeadersTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 8, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("respond-async", true, null)]
    [InlineData("Respond-Async, wait=5", true, 5)]
    [InlineData("wait=\"7\", respond-async", true, 7)]
    [InlineData("respond-async, wait=5, wait=9", true, 5)]
    [InlineData("wait=5", false, 5)]
    [InlineData("respond-async, wait=-1", true, null)]
    [InlineData("respond-async, wait=soon", true, null)]
    [InlineData("respond-async, wait=99999999", true, 3600)]
    [InlineData("return=minimal", false, null)]
    [InlineData("", false, null)]
    [InlineData(",,;;=", false, null)]
    public void Preferences_Header_IsReadAsTheRfcHasIt(string header, bool respondAsync, int? wait)
    {
        var preferences = Preferences.Of(Request(("Prefer", header)));

        Assert.Equal((respondAsync, wait), (preferences.RespondAsync, (int?)preferences.Wait?.TotalSeconds));
    }

    [Fact]
    public void Preferences_SeveralHeaders_AreOneList()
    {
        var context = new DefaultHttpContext();
        context.Request.Headers["Prefer"] = new(["return=minimal", "respond-async", "wait=3"]);

        Assert.Equal((true, TimeSpan.FromSeconds(3)), (Preferences.Of(context.Request).RespondAsync, Preferences.Of(context.Request).Wait));
    }

    [Theory]
    [InlineData("2026-11-26T09:00:00Z")]
    [InlineData("2026-11-26T10:00:00+01:00")]
    [InlineData("2026-11-26T09:00:00.000Z")]
    [InlineData("Thu, 26 Nov 2026 09:00:00 GMT")]
    [InlineData("60m")]
    public void Terms_Time_IsTheSamePoint(string text)
    {
        var (terms, refusal) = MessageTerms.Of(Request((MessageTerms.NotBeforeHeader, text)).Headers, Now);

        Assert.Null(refusal);
        Assert.Equal(Now.AddHours(1), terms.NotBefore);
    }

    [Theory]
    [InlineData("2026-11-26T09:00:00")]
    [InlineData("2026-11-26")]
    [InlineData("tomorrow")]
    [InlineData("60")]
    [InlineData("91d")]
    [InlineData("2027-11-26T09:00:00Z")]
    [InlineData("Z")]
    public void Terms_OtherTimes_AreRefusedByName(string text)
    {
        var (_, refusal) = MessageTerms.Of(Request((MessageTerms.ExpiresHeader, text)).Headers, Now);

        Assert.Contains(MessageTerms.ExpiresHeader, refusal!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Terms_PastStart_IsNow() =>
        Assert.Null(MessageTerms.Of(Request((MessageTerms.NotBeforeHeader, "2026-11-26T07:00:00Z")).Headers, Now).Terms.NotBefore);

    [Theory]
    [InlineData("2026-11-26T07:59:59Z", "1h")]
    [InlineData("30m", "1h")]
    public void Terms_EndBeforeStart_IsRefused(string expires, string notBefore)
    {
        var (_, refusal) = MessageTerms.Of(Request((MessageTerms.ExpiresHeader, expires), (MessageTerms.NotBeforeHeader, notBefore)).Headers, Now);

        Assert.Contains("would never be sent", refusal!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Terms_LongReference_IsRefused()
    {
        Assert.NotNull(MessageTerms.Of(Request((MessageTerms.ReferenceHeader, new string('r', 201))).Headers, Now).Refusal);
        Assert.Equal(new string('r', 200), MessageTerms.Of(Request((MessageTerms.ReferenceHeader, new string('r', 200))).Headers, Now).Terms.Reference);
    }

    private static HttpRequest Request(params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        foreach (var (name, value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        return context.Request;
    }
}
