using CsCheck;
using SendProxy.Egress.Admission;

namespace SendProxy.Tests.Egress.Admission;

public class TargetValidatorTests
{
    private const int MaxLength = 8192;

    [Theory]
    [InlineData("/")]
    [InlineData("/v1/sms/send")]
    [InlineData("/v1/messages/msg_1?expand=events&x=%2F%25")]
    [InlineData("/v1/contacts/a%40b.example")]
    [InlineData("/v1/x%20y")]
    [InlineData("/v1/")]
    [InlineData("/v1/...")]
    [InlineData("/v1/a%2Fb")]
    [InlineData("/v1/100%25")]
    [InlineData("/v1/%7Euser")]
    [InlineData("/v1/a|b^c")]
    [InlineData("/v1?a={b}|c^d`e\\f\"g<h>")]
    [InlineData("/v1?text=one%0D%0Atwo%09")]
    [InlineData("/v1/%C3%A4")]
    public void Check_WhatClientsSend_Passes(string target) => Assert.Null(TargetValidator.Check(target, MaxLength));

    [Theory]
    [InlineData("", "origin form")]
    [InlineData("*", "origin form")]
    [InlineData("v1", "origin form")]
    [InlineData("http://evil.example/v1", "origin form")]
    [InlineData("//evil.example/v1", "empty segment")]
    [InlineData("/v1//sms", "empty segment")]
    [InlineData("/v1/%2Fsms", "empty segment")]
    [InlineData("/%2fevil.example/", "empty segment")]
    [InlineData("/v1/./sms", "segment")]
    [InlineData("/v1/../admin", "segment")]
    [InlineData("/v1/..", "segment")]
    [InlineData("/v1/%2e%2e/admin", "segment")]
    [InlineData("/v1/%2E./admin", "segment")]
    [InlineData("/v1/x%2F..%2Fadmin", "segment")]
    [InlineData("/v1/x%5c..%5cadmin", "segment")]
    [InlineData("/v1/..%3bx/admin", "segment")]
    [InlineData("/v1/%252e%252e/admin", "segment")]
    [InlineData("/v1\\sms", "%5C")]
    [InlineData("/v1/{id}", "%7B")]
    [InlineData("/v1/sms;x=1", "a ;")]
    [InlineData("/v1/%00", "control")]
    [InlineData("/v1/%0d%0aX: y", "control")]
    [InlineData("/v1/%0a", "control")]
    [InlineData("/v1/%", "hex digits")]
    [InlineData("/v1/%4", "hex digits")]
    [InlineData("/v1/%zz", "hex digits")]
    [InlineData("/v1?a=%", "hex digits")]
    [InlineData("/v1/ä", "not ASCII")]
    [InlineData("/v1/a b", "a space")]
    [InlineData("/v1/a#b", "%23")]
    [InlineData("/v1?a=b#c", "%23")]
    [InlineData("/v1?a=%00", "control")]
    [InlineData("/v1?a b", "a space")]
    public void Check_WhatServersReadInTwoWays_IsRefusedWithTheReason(string target, string reason) =>
        Assert.Contains(reason, TargetValidator.Check(target, MaxLength), StringComparison.Ordinal);

    [Theory]
    [InlineData(100, null)]
    [InlineData(101, "The target has 101 characters, more than listen.maxTarget (100).")]
    public void Check_Length_HasABound(int length, string? expected) => Assert.Equal(expected, TargetValidator.Check("/" + new string('a', length - 1), 100));

    [Theory]
    [InlineData("/v1/sms", new string[0])]
    [InlineData("/v1/a%2Fb", new[] { "/v1/a/b" })]
    [InlineData("/v1/a%252Fb", new[] { "/v1/a%2Fb", "/v1/a/b" })]
    [InlineData("/v1/a%5Cb%3Bc", new[] { "/v1/a/b" })]
    public void Readings_Escapes_AreUndone(string path, string[] expected) => Assert.Equal(expected, TargetValidator.Readings(path));

    // No reading of what passes leaves the folder that its first segments name.
    [Fact]
    public void Check_WhatPasses_StaysWhereItIsForEveryParser() =>
        Gen.String[Gen.Char["/.%25eEfFcC3bB;\\ab?"], 0, 12].Select(s => "/v1/" + s).Sample(target =>
        {
            if (TargetValidator.Check(target, MaxLength) is not null)
            {
                return true;
            }

            // Some parsers resolve dots before they undo escapes, some after; some undo them twice.
            var path = target.Split('?')[0];
            var once = Uri.UnescapeDataString(path);
            return new[] { path, once, Uri.UnescapeDataString(once) }.All(reading =>
                new Uri("http://x" + reading.Replace('\\', '/').Replace("?", "%3F", StringComparison.Ordinal)).AbsolutePath.StartsWith("/v1/", StringComparison.Ordinal));
        });
}
