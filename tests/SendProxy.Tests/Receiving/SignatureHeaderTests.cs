using SendProxy.Receiving;

namespace SendProxy.Tests.Receiving;

/// <summary>The header's form, strictly: what two readers could take differently is no signature at all.</summary>
public class SignatureHeaderTests
{
    private const string Signature = "5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd";

    private static readonly SignatureRecipe Pairs = Recipes.Read("{ preset: stripe, secrets: [{ env: NONE }] }").Recipe!;
    private static readonly SignatureRecipe Items = Recipes.Read("{ preset: standard-webhooks, secrets: [{ env: NONE }] }").Recipe!;
    private static readonly SignatureRecipe One = Recipes.Read("{ preset: github, secrets: [{ env: NONE }] }").Recipe!;

    [Theory]
    [InlineData($"t=1,v1={Signature}", 1)]
    [InlineData($"t=1, v1={Signature}, v1={Signature}", 2)]
    [InlineData($"t=1,v0=abc,v1={Signature}", 1)]
    [InlineData($"v1={Signature}", 1)]
    [InlineData($"t=1,v1={Signature},torn", 0)]
    [InlineData($"torn,t=1,v1={Signature}", 0)]
    [InlineData($"t=1,,v1={Signature}", 0)]
    [InlineData($"t=1,t=2,v1={Signature}", 0)]
    [InlineData($"t=1,t=1,v1={Signature}", 0)]
    [InlineData("t=1", 0)]
    [InlineData("t=1,v1=", 0)]
    [InlineData("t=1,v1=zz", 0)]
    [InlineData("", 0)]
    public void Pairs_AreTakenWholeOrNotAtAll(string header, int signatures) =>
        Assert.Equal(signatures, SignatureHeader.Parse(header, Pairs)?.Signatures.Count ?? 0);

    [Fact]
    public void Pairs_Timestamp_IsTheOneThatIsWritten() =>
        Assert.Equal("1492774577", SignatureHeader.Parse($"t=1492774577,v1={Signature}", Pairs)!.Value.Timestamp);

    [Theory]
    [InlineData("v1,AAAA", 1)]
    [InlineData("v1,AAAA v1,BBBB", 2)]
    [InlineData("v1a,AAAA v1,BBBB", 1)]
    [InlineData("torn v1,BBBB", 1)]
    [InlineData("v1,AAA", 0)]
    [InlineData("v1,AAAB= ", 0)]
    [InlineData("v2,AAAA", 0)]
    public void Items_OtherVersionsAreLeftOut(string header, int signatures) =>
        Assert.Equal(signatures, SignatureHeader.Parse(header, Items)?.Signatures.Count ?? 0);

    [Theory]
    [InlineData($"sha256={Signature}", true)]
    [InlineData(Signature, false)]
    [InlineData($"sha1={Signature}", false)]
    [InlineData($"sha256={Signature} ", false)]
    [InlineData($"sha256={Signature},sha256={Signature}", false)]
    public void Single_IsThePrefixAndOneSignature(string header, bool fits) => Assert.Equal(fits, SignatureHeader.Parse(header, One) is not null);

    [Fact]
    public void Items_MoreThanTwenty_AreNone() =>
        Assert.Null(SignatureHeader.Parse(string.Join(' ', Enumerable.Repeat("v1,AAAA", 21)), Items));
}
