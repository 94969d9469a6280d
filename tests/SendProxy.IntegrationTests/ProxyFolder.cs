namespace SendProxy.IntegrationTests;

/// <summary>A folder with a configuration, its secrets and its journal, which outlives the processes that run on it.</summary>
internal sealed class ProxyFolder : IDisposable
{
    /// <summary>Absolute; configurations name what is in it by relative paths.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("sendproxy-it-").FullName;

    public string ConfigPath => System.IO.Path.Combine(Path, "proxy.yaml");

    /// <summary>Writes the configuration. Listeners should have port 0: the process says which ports it got.</summary>
    public ProxyFolder Configure(string yaml) => Write("proxy.yaml", yaml);

    public ProxyFolder Write(string name, string content)
    {
        File.WriteAllText(System.IO.Path.Combine(Path, name), content);
        return this;
    }

    /// <summary>Writes a file that only this user can read.</summary>
    public ProxyFolder WriteSecret(string name, string content)
    {
        Write(name, content);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(System.IO.Path.Combine(Path, name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return this;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
