using SendProxy.Configuration;

namespace SendProxy.Tests.Configuration;

/// <summary>A configuration in a folder of its own, with a key beside it.</summary>
internal sealed class SettingsFile : IDisposable
{
    public const string Key = "sk_live_planted0123456789";

    public const string Upstreams = "upstreams: { sendapi: { preset: sendapi, address: 'https://api.sendapi.example', credential: { file: key } } }";

    public SettingsFile()
    {
        Folder = Directory.CreateTempSubdirectory("sendproxy-test-").FullName;
        File.WriteAllText(Path.Combine(Folder, "key"), Key + "\n");
        SetMode("key", UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public string Folder { get; }

    public Dictionary<string, string> Variables { get; } = [];

    public string Write(string yaml, string name = "proxy.yaml")
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, yaml);
        return path;
    }

    public void SetMode(string name, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path.Combine(Folder, name), mode);
        }
    }

    /// <returns>The configuration.</returns>
    /// <exception cref="SettingsException">It is refused.</exception>
    public ProxySettings Load(string yaml) => ProxySettings.Load(Write(yaml), Variables.GetValueOrDefault);

    /// <returns>What is wrong with it, one line each; nothing when it is good.</returns>
    public string[] Errors(string yaml)
    {
        try
        {
            Load(yaml);
            return [];
        }
        catch (SettingsException e)
        {
            return [.. e.Errors.Select(x => x.ToString())];
        }
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
