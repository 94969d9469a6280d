using System.CommandLine;

namespace SendProxy.Sandbox.Cli;

/// <summary>An option with a default that the parser does not know: its help would print it a second time.</summary>
/// <param name="name">As <c>--seed</c>.</param>
/// <param name="usual">The value when it is not given.</param>
internal sealed class Setting<T>(string name, T usual) : Option<T>(name)
{
    public T Read(ParseResult parsed) => parsed.GetResult(this) is null ? usual : parsed.GetValue(this)!;
}
