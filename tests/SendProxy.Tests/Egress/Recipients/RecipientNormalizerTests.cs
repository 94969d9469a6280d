using CsCheck;
using SendProxy.Egress.Recipients;

namespace SendProxy.Tests.Egress.Recipients;

public class RecipientNormalizerTests
{
    [Theory]
    [InlineData("+491701234567", "+491701234567", "+49170")]
    [InlineData(" +49 170 1234567 ", "+491701234567", "+49170")]
    [InlineData("00491701234567", "+491701234567", "+49170")]
    [InlineData("+49-170/123.45 67", "+491701234567", "+49170")]
    [InlineData("+12025550123", "+12025550123", "+1202")]
    [InlineData("+77011234567", "+77011234567", "+7701")]
    [InlineData("+3725123456", "+3725123456", "+372512")]
    [InlineData("+2902345", "+2902345", "+290234")]
    [InlineData("+123456789012345", "+123456789012345", "+1234")]
    public void Normalise_Number_IsE164WithItsRange(string text, string expected, string group) =>
        Assert.Equal(new Recipient(expected, group), RecipientNormalizer.Normalise(text));

    [Theory]
    [InlineData("a@example.com", "a@example.com", "@example.com")]
    [InlineData(" A.B+c@Example.COM ", "a.b+c@example.com", "@example.com")]
    [InlineData("Shop <a@example.com>", "a@example.com", "@example.com")]
    [InlineData("<a@example.com>", "a@example.com", "@example.com")]
    [InlineData("a@bücher.example", "a@xn--bcher-kva.example", "@xn--bcher-kva.example")]
    [InlineData("a@BÜCHER.example", "a@xn--bcher-kva.example", "@xn--bcher-kva.example")]
    [InlineData("a@xn--bcher-kva.example", "a@xn--bcher-kva.example", "@xn--bcher-kva.example")]
    public void Normalise_Address_IsLowerCaseInAscii(string text, string expected, string group) =>
        Assert.Equal(new Recipient(expected, group), RecipientNormalizer.Normalise(text));

    [Theory]
    [InlineData("")]
    [InlineData("+")]
    [InlineData("+49")]
    [InlineData("+049170123456")]
    [InlineData("0001701234567")]
    [InlineData("01701234567")]
    [InlineData("491701234567")]
    [InlineData("+1234567890123456")]
    [InlineData("+49 (0)170 1234567")]
    [InlineData("+49(170)1234567")]
    [InlineData("+49  170 1234567")]
    [InlineData("+49170123456x")]
    [InlineData("+491701234567;ext=1")]
    [InlineData("+491701234567,+43664123456")]
    [InlineData("+491701234567 +43664123456")]
    [InlineData("tel:+491701234567")]
    [InlineData("++491701234567")]
    [InlineData("+٤٩١٧٠١٢٣٤٥٦٧")]
    [InlineData("＋491701234567")]
    [InlineData("+491701234567\0")]
    [InlineData("+49\u00a01701234567")]
    [InlineData("+49170123456-")]
    [InlineData("+-491701234567")]
    public void Normalise_NoSingleNumber_IsNone(string text) => Assert.Null(RecipientNormalizer.Normalise(text));

    [Theory]
    [InlineData("@example.com")]
    [InlineData("a@")]
    [InlineData("a@b@example.com")]
    [InlineData("a@example.com,b@example.com")]
    [InlineData("a@example.com;b@example.com")]
    [InlineData("a@example.com b@example.com")]
    [InlineData("a@example.com\nb@example.com")]
    [InlineData("x@y.example <a@example.com>")]
    [InlineData("\"a\"@example.com")]
    [InlineData("a@[127.0.0.1]")]
    [InlineData("a@localhost")]
    [InlineData("a@-example.com")]
    [InlineData("a@example..com")]
    [InlineData("a@exa mple.com")]
    [InlineData("a@exa_mple.com")]
    [InlineData(".a@example.com")]
    [InlineData("a.@example.com")]
    [InlineData("a..b@example.com")]
    [InlineData("ä@example.com")]
    [InlineData("a@example.com>")]
    [InlineData("Shop <a@example.com> <b@example.com>")]
    [InlineData("a@example.com (comment)")]
    [InlineData("a@\ud800.com")]
    public void Normalise_NoSingleAddress_IsNone(string text) => Assert.Null(RecipientNormalizer.Normalise(text));

    [Fact]
    public void Normalise_AnyText_NeverThrowsAndYieldsWhatStaysAsItIs() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["+0149 -a@.<>ü,x"], 0, 24]).Sample(text =>
            RecipientNormalizer.Normalise(text) is not { } recipient || RecipientNormalizer.Normalise(recipient.Text) == recipient);
}
