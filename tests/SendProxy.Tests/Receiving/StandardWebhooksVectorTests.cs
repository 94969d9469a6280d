using CsCheck;

namespace SendProxy.Tests.Receiving;

/// <summary>Vectors of the reference libraries (python, js, go, ruby, php, java, C#, elixir).</summary>
public sealed class StandardWebhooksVectorTests
{
    private const string Signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    private const long Signed = 1614265330;

    private readonly Recipes _webhook = new("standard-webhooks")
    {
        Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        Text = """{"test": 2432232314}""",
        ["webhook-id"] = "msg_p5jXN8AQM9LWM0D4loKWxJek",
        ["webhook-timestamp"] = "1614265330",
        ["webhook-signature"] = Signature,
    };

    [Theory]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    public void Check_ReferenceVector_IsAccepted(string secret)
    {
        _webhook.Secret = secret;

        Assert.Equal("accepted", _webhook.Check());
    }

    [Fact]
    public void Check_SvixHeaders_IsAccepted()
    {
        var svix = new Recipes("standard-webhooks")
        {
            Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            Text = """{"test": 2432232314}""",
            ["svix-id"] = "msg_p5jXN8AQM9LWM0D4loKWxJek",
            ["svix-timestamp"] = "1614265330",
            ["svix-signature"] = Signature,
        };

        Assert.Equal("accepted", svix.Check());
    }

    [Theory]
    [InlineData("v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= " + Signature + " v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=")]
    [InlineData(Signature + " v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=")]
    [InlineData("nocomma " + Signature)]
    [InlineData("v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== " + Signature)]
    public void Check_ListWithTheRightOne_IsAccepted(string signatures)
    {
        _webhook["webhook-signature"] = signatures;

        Assert.Equal("accepted", _webhook.Check());
    }

    [Fact]
    public void Check_TwoHeadersOfAList_AreOneList()
    {
        _webhook.Twice("webhook-signature", "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=", Signature);

        Assert.Equal("accepted", _webhook.Check());
    }

    [Theory]
    [InlineData("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLawdd", "signature_malformed")]
    [InlineData("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=", "signature_mismatch")]
    [InlineData("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=", "signature_malformed")]
    [InlineData("v1,dawfeoifkpqwoekfpqoekf", "signature_malformed")]
    [InlineData("v1,", "signature_malformed")]
    [InlineData("v1,g0hM9SsE", "signature_mismatch")]
    [InlineData("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "signature_malformed")]
    [InlineData("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "signature_malformed")]
    [InlineData("v1,g0hM9SsE+OTPJTGt/tmI KtSyZlE3uFJELVlNIOLJ1OE=", "signature_mismatch")]
    [InlineData("", "signature_malformed")]
    public void Check_WrongSignature_IsRefused(string signature, string reason)
    {
        _webhook["webhook-signature"] = signature;

        Assert.Equal(reason, _webhook.Check());
    }

    [Theory]
    [InlineData("webhook-id", "id_missing")]
    [InlineData("webhook-timestamp", "timestamp_missing")]
    [InlineData("webhook-signature", "signature_missing")]
    public void Check_HeaderMissing_IsRefused(string header, string reason)
    {
        _webhook[header] = null;

        Assert.Equal(reason, _webhook.Check());
    }

    [Theory]
    [InlineData(-301, "timestamp_too_new")]
    [InlineData(-300, "accepted")]
    [InlineData(0, "accepted")]
    [InlineData(300, "accepted")]
    [InlineData(301, "timestamp_too_old")]
    public void Check_AtBothEdgesOfTolerance_TakesExactlyTheEdge(int secondsLater, string verdict)
    {
        _webhook.Now = DateTimeOffset.FromUnixTimeSeconds(Signed + secondsLater);

        Assert.Equal(verdict, _webhook.Check());
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("+1614265330")]
    [InlineData("-1614265330")]
    [InlineData(" 1614265330")]
    [InlineData("1614265330.0")]
    [InlineData("1.614265330e9")]
    [InlineData("Infinity")]
    [InlineData("१६१४२६५३३०")]
    [InlineData("99999999999999999999")]
    public void Check_TimestampNotAsciiDigits_IsMalformed(string timestamp)
    {
        _webhook["webhook-timestamp"] = timestamp;

        Assert.Equal("timestamp_malformed", _webhook.Check());
    }

    [Theory]
    [InlineData("msg.p5j")]
    [InlineData("msg p5j")]
    public void Check_IdThatCouldMoveBytes_IsMalformed(string id)
    {
        _webhook["webhook-id"] = id;

        Assert.Equal("id_malformed", _webhook.Check());
    }

    [Theory]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("whsec_!!!")]
    public void Check_NoKey_AcceptsNothing(string secret)
    {
        _webhook.Secret = secret;

        Assert.Equal("signature_mismatch", _webhook.Check());
    }

    [Fact]
    public void Check_AnyByteOfTheBodyFlipped_IsRefused() => Gen.Select(Gen.Int[0, 19], Gen.Int[1, 255]).Sample((at, flip) =>
    {
        var body = System.Text.Encoding.UTF8.GetBytes("""{"test": 2432232314}""");
        body[at] ^= (byte)flip;
        _webhook.Body = body;

        return _webhook.Check() == "signature_mismatch";
    }, threads: 1);

    [Fact]
    public void Check_AnyCharacterOfTheSignatureChanged_IsRefused() => Gen.Select(Gen.Int[3, Signature.Length - 1], Gen.Char[' ', '~']).Sample((at, other) =>
    {
        var signature = Signature.ToCharArray();
        if (signature[at] == other)
        {
            return true;
        }

        signature[at] = other;
        _webhook["webhook-signature"] = new string(signature);

        return _webhook.Check() != "accepted";
    }, threads: 1);
}
