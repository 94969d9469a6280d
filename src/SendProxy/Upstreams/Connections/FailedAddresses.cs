using System.Collections.Concurrent;
using System.Net;

namespace SendProxy.Upstreams.Connections;

/// <summary>
/// Addresses of one upstream to which no connection came about lately. They are tried after the others, never left out: where all
/// have failed the order is the resolver's again.
/// </summary>
internal sealed class FailedAddresses(TimeProvider time)
{
    /// <summary>How long an address is tried last.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    // A name has a few addresses; one that has ever new ones must not fill the memory.
    private const int MostKept = 256;

    private readonly ConcurrentDictionary<IPAddress, long> _since = new();

    public void Add(IPAddress address)
    {
        if (_since.Count >= MostKept)
        {
            _since.Clear();
        }

        _since[address] = time.GetTimestamp();
    }

    public void Forget(IPAddress address) => _since.TryRemove(address, out _);

    /// <returns>The addresses in their order, those that failed lately behind the others.</returns>
    public IEnumerable<IPAddress> Sort(IEnumerable<IPAddress> addresses) => addresses.OrderBy(HasFailed);

    private bool HasFailed(IPAddress address) => _since.TryGetValue(address, out var since) && time.GetElapsedTime(since) < Lifetime;
}
