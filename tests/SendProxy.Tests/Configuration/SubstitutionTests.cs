using SendProxy.Configuration;

namespace SendProxy.Tests.Configuration;

public class SubstitutionTests
{
    private static readonly Dictionary<string, string> Variables = new() { ["A"] = "1", ["EMPTY"] = "" };

    [Theory]
    [InlineData("plain", "plain", false)]
    [InlineData("x${A}y", "x1y", true)]
    [InlineData("${B:-two}", "two", true)]
    [InlineData("${EMPTY:-two}", "two", true)]
    [InlineData("${A}${A}", "11", true)]
    [InlineData("$${A}", "${A}", false)]
    [InlineData("$5", "$5", false)]
    public void Apply_GoodText_YieldsValueAndItsOrigin(string text, string value, bool fromEnvironment) =>
        Assert.Equal((value, fromEnvironment, null), Substitution.Apply(text, p => p, Variables.GetValueOrDefault));

    [Theory]
    [InlineData("${B}", "is not set")]
    [InlineData("${A", "no closing }")]
    [InlineData("${}", "takes a variable's name")]
    [InlineData("${A B}", "takes a variable's name")]
    [InlineData("${file:/nowhere/at/all}", "cannot be read")]
    public void Apply_BadText_SaysWhatIsWrong(string text, string error) =>
        Assert.Contains(error, Substitution.Apply(text, p => p, Variables.GetValueOrDefault).Error!, StringComparison.Ordinal);
}
