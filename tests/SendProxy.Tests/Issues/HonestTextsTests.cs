using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SendProxy.Configuration;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Tests.Issues;

// Words, identifiers, links and attachments are not taken for credentials, whichever preset is there.
public class HonestTextsTests
{
    private const int Texts = 1_000_000;

    // Every preset's prefix stands at the end of a word here, and by itself.
    private static readonly string[] Words =
    [
        "more", "task", "live", "streaming", "information", "re", "sk", "rk", "risk", "desk", "future", "core", "api", "xoxb", "SG", "EAA", "fire", "test", "org",
        "mask", "key", "send", "2024", "12", "v2", "report", "final", "event", "season", "1", "xkeysib", "store", "before", "after", "password", "reset", "code", "order",
        "delivery", "of", "the", "your", "number", "is", "AC", "SK", "whsec", "IDEAA", "gh", "pat", "0049", "q3",
    ];

    private static readonly string[] Joints = [" ", " ", "_", "-", ".", "/", ":", "=", "&", "", "\n"];

    private static readonly (string Preset, CredentialPattern Pattern)[] Patterns =
    [
        .. from name in Presets.Names
           let match = Regex.Match(Presets.Embedded(name)!, @"[^t]pattern: ""((?:[^""\\]|\\.)*)""", RegexOptions.IgnoreCase)
           where match.Success
           let pattern = CredentialPattern.For(new Regex($"^(?:{match.Groups[1].Value.Replace("\\\\", "\\", StringComparison.Ordinal)})$"))
           where pattern is not null
           select (name, pattern),
    ];

    [Fact]
    public void Detector_AMillionHonestTexts_FindsNothing()
    {
        Assert.InRange(Patterns.Length, 7, int.MaxValue);
        var found = new System.Collections.Concurrent.ConcurrentQueue<string>();
        Parallel.For(0, Texts / 1000, block =>
        {
            var random = new Random(block);
            for (var i = 0; i < 1000; i++)
            {
                var text = Draw(random);
                var bytes = Encoding.Latin1.GetBytes(text);
                foreach (var (preset, pattern) in Patterns)
                {
                    if (pattern.IsIn(bytes) || pattern.IsIn(text, isTarget: text.StartsWith("https:", StringComparison.Ordinal)))
                    {
                        found.Enqueue($"{preset}: {text}");
                    }
                }
            }
        });

        Assert.True(found.IsEmpty, string.Join('\n', found.Take(10)));
    }

    // Half of all attachments of 300 kB were taken for a token of Meta's.
    [Fact]
    public void Detector_LargeAttachments_FindsNothing()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var bytes = new byte[300_000];
            new Random(seed).NextBytes(bytes);
            var attachment = Encoding.ASCII.GetBytes($"{{\"content\":\"{Convert.ToBase64String(bytes, seed % 2 == 0 ? Base64FormattingOptions.None : Base64FormattingOptions.InsertLineBreaks)}\"}}");
            Assert.All(Patterns, p => Assert.False(p.Pattern.IsIn(attachment), p.Preset));
        }
    }

    // What the test above is worth: the texts hold the prefixes, and a key among them is found.
    [Fact]
    public void Detector_AKeyAmongHonestTexts_IsFound()
    {
        var stripe = Patterns.Single(p => p.Preset == "stripe").Pattern;
        var random = new Random(1);

        Assert.All(Enumerable.Range(0, 1000), _ => Assert.True(stripe.IsIn(Encoding.Latin1.GetBytes($"{Draw(random)} sk_live_4f9Kq27XbT1mZ0c {Draw(random)}"))));
    }

    private static string Draw(Random random) => random.Next(8) switch
    {
        0 => Convert.ToBase64String(Bytes(random, random.Next(20, 400))),
        1 => Convert.ToBase64String(Bytes(random, random.Next(100, 400)), Base64FormattingOptions.InsertLineBreaks),
        2 => Convert.ToHexStringLower(Bytes(random, random.Next(8, 64))),
        3 => string.Create(CultureInfo.InvariantCulture, $"https://{Sentence(random, 2)}.example/{Sentence(random, 4)}?{Sentence(random, 5)}"),
        4 => new Guid(Bytes(random, 16)).ToString(),
        _ => Sentence(random, random.Next(3, 20)),
    };

    private static string Sentence(Random random, int words) =>
        string.Concat(Enumerable.Range(0, words).Select(_ => Words[random.Next(Words.Length)] + Joints[random.Next(Joints.Length)]));

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
