using System.Diagnostics;

namespace SendProxy.Compare;

/// <summary>A process of this run; its output goes to a file, and it ends with this object.</summary>
internal sealed class Child : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private bool _disposed;

    public Child(string output, IReadOnlyDictionary<string, string>? variables, params string[] command)
    {
        // The shell replaces itself: the id stays, and no pipe of ours stands between the process and its log.
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("out=$1; shift; exec \"$@\" >\"$out\" 2>&1 </dev/null");
        start.ArgumentList.Add("sh");
        start.ArgumentList.Add(output);
        foreach (var word in command)
        {
            start.ArgumentList.Add(word);
        }

        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        (Command, Output) = (string.Join(' ', command), output);
        _process = Process.Start(start)!;
    }

    public int Id => _process.Id;

    public string Command { get; }

    public string Output { get; }

    public bool Ended => _process.HasExited;

    public IReadOnlyList<int> Tree => Proc.Tree(Id);

    public Task EndAsync() => _process.WaitForExitAsync();

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (!_process.HasExited)
        {
            Signals.Send(Id, Signals.Continue);
            Signals.Send(Id, Signals.Terminate);
            if (!_process.WaitForExit(Patience))
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
    }
}
