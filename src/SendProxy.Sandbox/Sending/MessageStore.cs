namespace SendProxy.Sandbox.Sending;

/// <summary>The newest messages, for <c>GET /v1/messages/{id}</c>.</summary>
internal sealed class MessageStore(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Message> _messages = new(StringComparer.Ordinal);
    private readonly Queue<string> _byAge = new();

    public void Add(Message message)
    {
        lock (_gate)
        {
            if (_byAge.Count >= capacity) { _messages.Remove(_byAge.Dequeue()); }
            _messages.Add(message.Id, message);
            _byAge.Enqueue(message.Id);
        }
    }

    public Message? Find(string id)
    {
        lock (_gate) { return _messages.GetValueOrDefault(id); }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _messages.Clear();
            _byAge.Clear();
        }
    }
}
