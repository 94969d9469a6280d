namespace SendProxy.Sandbox.Faults;

/// <summary>
/// Finds the fault of a request: its header first, then the rules, then its recipient. Faults by header and by
/// recipient are met by a message's first attempt only, so that a retry under the same idempotency key succeeds;
/// <c>times</c> says otherwise. Without a key there is nothing to tell a retry by: then each attempt meets them.
/// </summary>
internal sealed class FaultPicker(FaultRules rules)
{
    public const string Header = "X-Sandbox-Fault";
    private const int TrackedMax = 100_000;
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Fault, string Name), int> _met = [];
    private readonly Queue<(string Fault, string Name)> _byAge = new();

    /// <returns>The fault by header or rule, or null. An unknown name sets <paramref name="problem"/>.</returns>
    public Fault? Early(HttpRequest request, string? channel, string? idempotencyKey, out string? problem)
    {
        problem = null;
        var path = request.Path.Value ?? "/";
        if (request.Headers[Header] is not [{ } text, ..]) { return rules.Pick(path, channel); }
        var fault = Fault.Parse(text, out problem);
        return fault is not null && Meets(fault, text, idempotencyKey, path) ? fault : null;
    }

    /// <returns>The fault that this recipient stands for, or null.</returns>
    public Fault? OfRecipient(string recipient, string? idempotencyKey)
    {
        var fault = FaultCatalog.OfPhone(recipient) is { } kind ? new Fault(kind) : OfAddress(recipient);
        return fault is not null && Meets(fault, recipient, idempotencyKey, "") ? fault : null;
    }

    /// <summary>Forgets which messages have met their fault.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _met.Clear();
            _byAge.Clear();
        }
    }

    private static Fault? OfAddress(string recipient)
    {
        const string Domain = "@sandbox.test";
        return recipient.EndsWith(Domain, StringComparison.Ordinal)
            ? Fault.Parse(recipient[..^Domain.Length], out _)
            : null;
    }

    private bool Meets(Fault fault, string text, string? idempotencyKey, string path)
    {
        var times = fault.Times ?? (idempotencyKey is null ? 0 : 1);
        if (times == 0) { return true; }
        var name = (text, idempotencyKey is null ? path : "key:" + idempotencyKey + path);
        lock (_gate)
        {
            var met = _met.GetValueOrDefault(name);
            if (met >= times) { return false; }
            if (met == 0)
            {
                if (_byAge.Count >= TrackedMax) { _met.Remove(_byAge.Dequeue()); }
                _byAge.Enqueue(name);
            }

            _met[name] = met + 1;
            return true;
        }
    }
}
