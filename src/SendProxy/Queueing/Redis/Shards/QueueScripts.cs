using SendProxy.Redis;

namespace SendProxy.Queueing.Redis.Shards;

/// <summary>The queue's operations: each a Lua script that runs whole or not at all. The library stands before each of them.</summary>
internal sealed class QueueScripts
{
    private const string Folder = "Queueing/Redis/Scripts/";
    private readonly string _library;

    /// <param name="clock">Makes <c>clock</c>, seconds and microseconds. Null: Redis' own time.</param>
    public QueueScripts(string? clock = null)
    {
        _library = (clock ?? Text("clock")) + Text("queue");
        var storing = _library + Text("store");
        Open = new RedisScript("queue_open", Text("open"));
        Enqueue = Operation("enqueue", storing);
        Claim = Operation("claim");
        Mark = Operation("mark");
        Finish = Operation("finish", storing);
        Retry = Operation("retry");
        GiveBack = Operation("giveback");
        SetAside = Operation("setaside");
        Replay = Operation("replay");
        Edit = Operation("edit");
        Discard = Operation("discard");
        Hold = Operation("hold");
        Release = Operation("release");
        Read = Operation("read");
        List = Operation("list");
        Counts = Operation("counts");
        Holds = Operation("holds");
        Oldest = Operation("oldest");
        SealKeys = Operation("sealkeys");
        Check = Operation("check");
        Sweep = Operation("sweep", storing);
        Pulse = Operation("pulse");
        Leave = Operation("leave");
        Reap = Operation("reap");
        Unclaim = Operation("unclaim");
        Forgotten = Operation("forgotten");
    }

    public RedisScript Open { get; }

    public RedisScript Enqueue { get; }

    public RedisScript Claim { get; }

    public RedisScript Mark { get; }

    public RedisScript Finish { get; }

    public RedisScript Retry { get; }

    public RedisScript GiveBack { get; }

    public RedisScript SetAside { get; }

    public RedisScript Replay { get; }

    public RedisScript Edit { get; }

    public RedisScript Discard { get; }

    public RedisScript Hold { get; }

    public RedisScript Release { get; }

    public RedisScript Read { get; }

    public RedisScript List { get; }

    public RedisScript Counts { get; }

    public RedisScript Holds { get; }

    public RedisScript Oldest { get; }

    public RedisScript SealKeys { get; }

    public RedisScript Check { get; }

    public RedisScript Sweep { get; }

    public RedisScript Pulse { get; }

    public RedisScript Leave { get; }

    public RedisScript Reap { get; }

    public RedisScript Unclaim { get; }

    public RedisScript Forgotten { get; }

    private RedisScript Operation(string name, string? library = null) => new($"queue_{name}", (library ?? _library) + Text(name));

    private static string Text(string name) => RedisScript.Embedded(name, $"{Folder}{name}.lua").Text;
}
