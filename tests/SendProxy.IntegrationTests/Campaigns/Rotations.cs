using System.Globalization;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>A way to bring a new key to the proxy, as operators and Kubernetes do it.</summary>
internal abstract class Rotation(ProxyFolder folder)
{
    public static IReadOnlyList<string> Ways => ["write", "mv", "directory", "data-swap"];

    /// <summary>What stands in the configuration's <c>credential</c>.</summary>
    public abstract string Credential { get; }

    protected ProxyFolder Folder => folder;

    public static Rotation Of(string way, ProxyFolder folder) => way switch
    {
        "write" => new InPlace(folder),
        "mv" => new Moved(folder),
        "directory" => new Slots(folder),
        _ => new DataSwap(folder),
    };

    /// <summary>Mounts <paramref name="key"/>; the one before it is <paramref name="old"/>, null at first.</summary>
    public abstract Task MountAsync(string key, string? old, CancellationToken cancellation);

    protected Task MoveAsync(string from, string to, CancellationToken cancellation) =>
        ProxyProcess.RunAsync(folder, ["mv", "-T", Path.Combine(folder.Path, from), Path.Combine(folder.Path, to)], cancellation);

    /// <summary>The file is opened and written again.</summary>
    private sealed class InPlace(ProxyFolder folder) : Rotation(folder)
    {
        public override string Credential => "file: key";

        public override Task MountAsync(string key, string? old, CancellationToken cancellation) =>
            File.WriteAllTextAsync(Path.Combine(Folder.Path, "key"), key + "\n", cancellation);
    }

    /// <summary>A new file takes the old one's name.</summary>
    private sealed class Moved(ProxyFolder folder) : Rotation(folder)
    {
        public override string Credential => "file: key";

        public override Task MountAsync(string key, string? old, CancellationToken cancellation)
        {
            Folder.Write("key.new", key);
            return MoveAsync("key.new", "key", cancellation);
        }
    }

    /// <summary>The operator puts the new key into next, then moves the slots up by hand.</summary>
    private sealed class Slots(ProxyFolder folder) : Rotation(folder)
    {
        public override string Credential => "directory: keys";

        public override async Task MountAsync(string key, string? old, CancellationToken cancellation)
        {
            Directory.CreateDirectory(Path.Combine(Folder.Path, "keys"));
            Folder.Write("keys/next.new", key);
            await MoveAsync("keys/next.new", "keys/next", cancellation);
            if (old is not null)
            {
                Folder.Write("keys/previous.new", old);
                await MoveAsync("keys/previous.new", "keys/previous", cancellation);
            }

            await MoveAsync("keys/next", "keys/current", cancellation);
        }
    }

    /// <summary>kubelet: a new directory, and one rename of the link that all files go through.</summary>
    private sealed class DataSwap(ProxyFolder folder) : Rotation(folder)
    {
        private int _generation;

        public override string Credential => "directory: keys";

        public override async Task MountAsync(string key, string? old, CancellationToken cancellation)
        {
            var name = (++_generation).ToString("'..gen'0", CultureInfo.InvariantCulture);
            var mount = Directory.CreateDirectory(Path.Combine(Folder.Path, "keys")).FullName;
            Directory.CreateDirectory(Path.Combine(mount, name));
            Folder.Write($"keys/{name}/current", key);
            if (old is not null)
            {
                Folder.Write($"keys/{name}/previous", old);
            }

            File.CreateSymbolicLink(Path.Combine(mount, "..data_tmp"), name);
            await MoveAsync("keys/..data_tmp", "keys/..data", cancellation);
            if (_generation == 1)
            {
                File.CreateSymbolicLink(Path.Combine(mount, "current"), "..data/current");
                File.CreateSymbolicLink(Path.Combine(mount, "previous"), "..data/previous");
            }
        }
    }
}
