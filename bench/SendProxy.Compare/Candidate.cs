namespace SendProxy.Compare;

/// <summary>Something that stands between the application and the upstream.</summary>
/// <param name="NeedsRedis">It gets a Redis of its own, so that what that one counts is this candidate's.</param>
/// <param name="Command">Makes the command out of what the run found: it writes the configuration.</param>
internal sealed record Candidate(string Name, bool NeedsRedis, Func<Setting, string[]> Command)
{
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>Starts it and waits for its first answer.</summary>
    /// <param name="redis">Shared with others; null: one of its own where it needs one.</param>
    public async Task<Instance> StartAsync(Workshop shop, string scheme, Redis? redis = null, string suffix = "")
    {
        var name = $"{string.Concat(Name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'))}-{scheme}{suffix}";
        var own = redis ?? (NeedsRedis ? await Redis.StartAsync(shop, $"redis-{name}", "none") : null);
        var setting = new Setting(shop, name, scheme, Workshop.FreePort(), Workshop.FreePort(), own?.Port ?? 0);
        var command = Command(setting);
        var start = TimeProvider.System.GetTimestamp();
        var process = shop.Start(name, Variables, command);
        var url = $"http://127.0.0.1:{setting.Port}/v1/sms/send";
        try
        {
            return new Instance(Name, process, url, own, redis is null, await Probe.AnsweredAsync(url, start));
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}; {process.Command}:\n{File.ReadAllText(process.Output)}");
        }
    }
}

/// <summary>What a candidate's configuration is filled in with.</summary>
internal sealed record Setting(Workshop Shop, string Name, string Scheme, int Port, int Port2, int RedisPort)
{
    public string Upstream => Shop.Upstream(Scheme);

    public string Authority => Path.Combine(Shop.Folder, "upstream.crt");

    public string Fill(string template, params (string Place, string Value)[] more)
    {
        var values = new Dictionary<string, string>
        {
            ["NAME"] = Name,
            ["PORT"] = $"{Port}",
            ["PORT2"] = $"{Port2}",
            ["SCHEME"] = Scheme,
            ["UP_HOST"] = "127.0.0.1",
            ["PORT_UP"] = $"{Shop.UpstreamPort(Scheme)}",
            ["REDIS"] = $"{RedisPort}",
        };
        foreach (var (place, value) in more)
        {
            values[place] = value;
        }

        return Shop.Fill(template, Name + Path.GetExtension(template), values);
    }
}

/// <summary>A candidate that runs.</summary>
/// <param name="Redis">Null where it has none.</param>
/// <param name="StartTime">From exec to the first answer through it.</param>
internal sealed record Instance(string Name, Child Process, string Url, Redis? Redis, bool OwnsRedis, TimeSpan StartTime) : IDisposable
{
    public void Dispose()
    {
        Process.Dispose();
        if (OwnsRedis)
        {
            Redis?.Dispose();
        }
    }
}
