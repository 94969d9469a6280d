namespace SendProxy.Sandbox.Cli;

/// <summary>Makes settings of the command line.</summary>
internal static class Words
{
    /// <summary>A setting whose value is one of some words; the first is the default.</summary>
    public static Setting<T> Choice<T>(string name, string description, Dictionary<string, T> words)
        where T : struct
    {
        var list = string.Join(", ", words.Keys);
        return new Setting<T>(name, words.Values.First())
        {
            Description = $"{description} Default {words.Keys.First()}.",
            HelpName = string.Join('|', words.Keys),
            CustomParser = result =>
            {
                var word = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
                if (words.TryGetValue(word, out var value)) { return value; }
                result.AddError($"{name} '{word}' is none of {list}.");
                return default;
            },
        };
    }

    public static Setting<TimeSpan> Duration(string name, string description, TimeSpan usual) => new(name, usual)
    {
        Description = description,
        HelpName = "duration",
        CustomParser = Durations.Parse,
    };

    /// <summary>A setting whose value is a whole number in bounds.</summary>
    public static Setting<int> Count(string name, string description, int usual, int min, int max)
    {
        var setting = new Setting<int>(name, usual)
        {
            Description = $"{description} Default {usual}, from {min} to {max}.",
            HelpName = "number",
        };
        setting.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var number && (number < min || number > max))
            {
                result.AddError($"{name} {number} is not from {min} to {max}.");
            }
        });
        return setting;
    }
}
