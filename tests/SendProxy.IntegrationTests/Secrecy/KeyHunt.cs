using System.Text;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Secrecy;

/// <summary>Looks for the planted key as itself, as .NET holds it in memory, and as it stands in Basic and Bearer forms.</summary>
internal static class KeyHunt
{
    private static readonly (string Form, byte[] Bytes)[] Forms =
    [
        ("plain", Encoding.UTF8.GetBytes(EgressStage.Key)),
        ("UTF-16", Encoding.Unicode.GetBytes(EgressStage.Key)),
        ("base64", Encoding.UTF8.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(EgressStage.Key)).TrimEnd('='))),
        ("hex", Encoding.UTF8.GetBytes(Convert.ToHexStringLower(Encoding.UTF8.GetBytes(EgressStage.Key)))),
    ];

    public static void AssertHidden(string where, string text) => AssertHidden(where, Encoding.UTF8.GetBytes(text));

    public static void AssertHidden(string where, byte[] bytes)
    {
        foreach (var (form, key) in Forms)
        {
            Assert.False(bytes.AsSpan().IndexOf(key) >= 0, $"the key stands in {where}, in the form {form}");
        }
    }

    /// <summary>Everything that a process wrote.</summary>
    public static void AssertHidden(ProxyProcess process) => AssertHidden("its output", string.Join('\n', process.Output));
}
