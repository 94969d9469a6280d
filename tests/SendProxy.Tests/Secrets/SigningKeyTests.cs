using SendProxy.Secrets;

namespace SendProxy.Tests.Secrets;

public sealed class SigningKeyTests
{
    [Theory]
    [InlineData("", (int)KeyEncoding.Utf8, false)]
    [InlineData("whsec_", (int)KeyEncoding.Base64, false)]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", (int)KeyEncoding.Base64, true)]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILA==", (int)KeyEncoding.Base64, true)]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILA", (int)KeyEncoding.Base64, true)]
    [InlineData("not base64!", (int)KeyEncoding.Base64, false)]
    [InlineData("00ff", (int)KeyEncoding.Hex, true)]
    [InlineData("00f", (int)KeyEncoding.Hex, false)]
    public void Create_Text_IsAKeyOrNone(string text, int encoding, bool usable)
    {
        Assert.Equal(usable, SigningKey.Create(new Secret(text), new SigningKeyFormat(SignatureScheme.HmacSha256, (KeyEncoding)encoding, "whsec_")) is not null);
    }

    [Theory]
    [InlineData("AAAA")]
    [InlineData("MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE")]
    public void Create_NoP256Key_IsNone(string text)
    {
        Assert.Null(SigningKey.Create(new Secret(text), new SigningKeyFormat(SignatureScheme.EcdsaP256, KeyEncoding.Base64)));
    }

    [Fact]
    public void Sign_PartsOrWhole_AreTheSame()
    {
        var key = SigningKey.Create(new Secret("secret"), new SigningKeyFormat(SignatureScheme.HmacSha256, KeyEncoding.Utf8))!;

        Assert.Equal(key.Sign("ab"u8.ToArray()), key.Sign("a"u8.ToArray(), "b"u8.ToArray()));
    }

    [Fact]
    public void Verifies_SharedSecret_OnlyTheSame()
    {
        var key = SigningKey.Create(new Secret("secret"), new SigningKeyFormat(SignatureScheme.SharedSecret, KeyEncoding.Utf8))!;

        Assert.True(key.Verifies(["secret"u8.ToArray()]));
        Assert.False(key.Verifies(["secres"u8.ToArray()]));
        Assert.False(key.Verifies(["secre"u8.ToArray()]));
        Assert.False(key.Verifies([]));
    }

    [Fact]
    public void ToString_Key_TellsNothing()
    {
        Assert.Equal("***", SigningKey.Create(new Secret("secret"), new SigningKeyFormat(SignatureScheme.HmacSha256, KeyEncoding.Utf8))!.ToString());
    }

    [Theory]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", (int)SecretState.Ok)]
    [InlineData("sk_live_not_this_one", (int)SecretState.Malformed)]
    [InlineData("whsec_", (int)SecretState.Malformed)]
    public void TextForm_Base64_RefusesWhatIsNoKey(string text, int state)
    {
        Assert.Equal((SecretState)state, SigningKeyFormat.StandardWebhooks.TextFormat.Judge(text));
    }
}
