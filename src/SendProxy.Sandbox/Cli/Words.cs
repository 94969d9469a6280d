using System.CommandLine;

namespace SendProxy.Sandbox.Cli;

/// <summary>Makes options of the command line.</summary>
internal static class Words
{
    /// <summary>An option whose value is one of some words; the first is the default.</summary>
    public static Option<T> Choice<T>(string name, string description, Dictionary<string, T> words)
        where T : struct
    {
        var list = string.Join(", ", words.Keys);
        return new Option<T>(name)
        {
            Description = $"{description} One of {list}. Default {words.Keys.First()}.",
            HelpName = string.Join('|', words.Keys),
            DefaultValueFactory = _ => words.Values.First(),
            CustomParser = result =>
            {
                var word = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
                if (words.TryGetValue(word, out var value)) { return value; }
                result.AddError($"{name} '{word}' is none of {list}.");
                return default;
            },
        };
    }

    public static Option<TimeSpan> Duration(string name, string description, TimeSpan usual) => new(name)
    {
        Description = description,
        HelpName = "duration",
        CustomParser = Durations.Parse,
        DefaultValueFactory = _ => usual,
    };

    /// <summary>An option whose value is a whole number in bounds.</summary>
    public static Option<int> Count(string name, string description, int usual, int min, int max)
    {
        var option = new Option<int>(name)
        {
            Description = $"{description} Default {usual}, from {min} to {max}.",
            HelpName = "number",
            DefaultValueFactory = _ => usual,
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var number && (number < min || number > max))
            {
                result.AddError($"{name} {number} is not from {min} to {max}.");
            }
        });
        return option;
    }
}
