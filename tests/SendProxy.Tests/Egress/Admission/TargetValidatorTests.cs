using CsCheck;
using SendProxy.Egress.Admission;

namespace SendProxy.Tests.Egress.Admission;

public class TargetValidatorTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/v1/sms/send")]
    [InlineData("/v1/messages/msg_1?expand=events&x=%2F%25")]
    [InlineData("/v1/contacts/a%40b.example")]
    [InlineData("/v1/x%20y")]
    [InlineData("/v1/")]
    [InlineData("/v1/...")]
    public void Check_NormalForm_Passes(string target) => Assert.Null(TargetValidator.Check(target));

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("v1")]
    [InlineData("http://evil.example/v1")]
    [InlineData("//evil.example/v1")]
    [InlineData("/v1//sms")]
    [InlineData("/v1/./sms")]
    [InlineData("/v1/../admin")]
    [InlineData("/v1/..")]
    [InlineData("/v1/%2e%2e/admin")]
    [InlineData("/v1/%2E./admin")]
    [InlineData("/v1%2fsms")]
    [InlineData("/v1%5csms")]
    [InlineData("/v1\\sms")]
    [InlineData("/v1/sms;x=1")]
    [InlineData("/v1/sms%3bx")]
    [InlineData("/v1/%252e%252e/admin")]
    [InlineData("/v1/%73ms")]
    [InlineData("/v1/%00")]
    [InlineData("/v1/%0d%0aX: y")]
    [InlineData("/v1/%")]
    [InlineData("/v1/%4")]
    [InlineData("/v1/%zz")]
    [InlineData("/v1/ä")]
    [InlineData("/v1/a b")]
    [InlineData("/v1/a#b")]
    [InlineData("/v1?a=%0a")]
    [InlineData("/v1?a=\"")]
    public void Check_OtherForm_IsRefused(string target) => Assert.NotNull(TargetValidator.Check(target));

    [Fact]
    public void Check_LongTarget_IsRefused() => Assert.NotNull(TargetValidator.Check("/" + new string('a', TargetValidator.MaxLength)));

    // What passes must mean the same to a parser that decodes and resolves as to one that does not.
    [Fact]
    public void Check_WhatPasses_IsOneResourceForEveryParser() =>
        Gen.String[Gen.Char["/.%25eEfF;\\ab?"], 0, 12].Select(s => "/" + s).Sample(target =>
        {
            if (TargetValidator.Check(target) is not null)
            {
                return true;
            }

            // Some parsers decode before they split, some after; some resolve dots, some do not.
            var path = target.Split('?')[0];
            var segments = path.Split('/').Select(Uri.UnescapeDataString).ToArray();
            return Uri.UnescapeDataString(path).Split('/', '\\', ';').SequenceEqual(segments)
                && !segments.Any(s => s is "." or "..") && new Uri("http://x" + path).AbsolutePath == path;
        });
}
