using SendProxy.Configuration;
using SendProxy.Tests.Configuration;

namespace SendProxy.Tests.Issues;

// YamlDotNet throws more than YamlException: a missing brace ended the process, and with exit code 0.
public sealed class UnparsableConfigurationTests : IDisposable
{
    private const string Good = "version: 1\n" + SettingsFile.Upstreams + "\n";

    private readonly SettingsFile _file = new();

    public static TheoryData<string, string> Cases => new()
    {
        { Good + "limits: { plan: { rate: 100/s }\n", ":4:1: is not valid YAML here" },
        { Good + "limits: { plan: { rate: 100/s } } }\n", ":3:35: is not valid YAML here" },
        { Good + "limits: [ { rate: 100/s }\n", "is not valid YAML here" },
        { Good + "limits:\n\tplan: { rate: 100/s }\n", ":4:1: a tab stands in the indentation" },
        { Good + "limits:\n  plan:\n  \trate: 100/s\n", ":5:3: a tab stands in the indentation" },
        { Good + "limits: {}\nlimits: {}\n", ":4:1: a key stands twice" },
        { Good + "limits: *nowhere\n", ":3:9: the alias *nowhere stands for nothing" },
        { Good + "limits: { plan: { rate: '100/s } }\n", "is not valid YAML here" },
        { Good + "limits: { plan: { rate: \"a\\q\" } }\n", "is not valid YAML here" },
        { Good + "limits: &a { plan: *a }\n", "stands inside of itself" },
        { Good + Laughs(), "the aliases of this file" },
        { Good + "limits: " + new string('[', 100_000), "is nested deeper than 64 levels" },
        { Good + "limits: " + string.Concat(Enumerable.Repeat("{ a: ", 100_000)), "is nested deeper than 64 levels" },
        { Good + string.Concat(Enumerable.Range(0, 500).Select(i => new string(' ', i) + "a:\n")), "is nested deeper than 64 levels" },
        { Good + "journal: { path: \"a\\0b\" }\n", "journal.path: holds a NUL character" },
        { Good + "journal: { path: \"${file:a\\0b}\" }\n", "journal.path: holds a NUL character" },
        { Good + "journal: { path: '${file:}' }\n", "journal.path: the file" },
        { Good + "? [a, b]\n: c\n", "unknown setting" },
        { Good + "routes: [{ name: a, upstream: sendapi }]\n", ":3:10: routes[0].match.path: give either path or prefix" },
        { "", "must be a YAML mapping that starts with version: 1" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_TextThatIsNoYaml_SaysWhereAndWhatToDo(string yaml, string expected)
    {
        var errors = _file.Errors(yaml);

        Assert.Contains(errors, e => e.Contains(expected, StringComparison.Ordinal));
        Assert.All(errors, e => Assert.Matches(@"proxy\.yaml:[1-9]\d*:[1-9]\d*: ", e));
        Assert.All(errors, e => Assert.DoesNotContain("defect", e, StringComparison.Ordinal));
    }

    [Fact]
    public void Load_AliasesInModeration_AreFollowed()
    {
        var settings = _file.Load(Good + "limits: { plan: &plan { rate: 100/s }, other: *plan }\n");

        Assert.Equal(settings.Limits["plan"].Rate, settings.Limits["other"].Rate);
    }

    [Fact]
    public void Load_ReaderThatThrows_IsToldAtTheSettingThatItRead()
    {
        _file.Write(Good + "telemetry: { log: { level: '${BROKEN}' } }\n");

        var refused = Assert.Throws<SettingsException>(() => ProxySettings.Load(
            Path.Combine(_file.Folder, "proxy.yaml"), name => name == "BROKEN" ? throw new InvalidOperationException("planted") : null));

        var error = Assert.Single(refused.Errors).ToString();
        Assert.Contains("proxy.yaml:3:28: cannot be read here because of a defect in SendProxy (InvalidOperationException)", error, StringComparison.Ordinal);
        Assert.DoesNotContain("planted", error, StringComparison.Ordinal);
    }

    public void Dispose() => _file.Dispose();

    // Each list holds ten times the one before: 10^9 values in 300 characters.
    private static string Laughs() => "limits:\n  a0: &a0 [x]\n" + string.Concat(Enumerable.Range(1, 9).Select(i =>
        $"  a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
}
