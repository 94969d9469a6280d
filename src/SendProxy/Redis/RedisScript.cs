namespace SendProxy.Redis;

/// <summary>A Lua script as its room embeds it. The library sends its hash, and the text once where Redis has forgotten it.</summary>
/// <param name="Name">The metric's word for it.</param>
internal sealed record RedisScript(string Name, string Text)
{
    /// <param name="path">Under src/SendProxy, as in <c>Sending/Idempotency/claim.lua</c>.</param>
    public static RedisScript Embedded(string name, string path)
    {
        using var reader = new StreamReader(typeof(RedisScript).Assembly.GetManifestResourceStream($"lua/{path}")
            ?? throw new InvalidOperationException($"{path} is not embedded."));
        return new RedisScript(name, reader.ReadToEnd());
    }
}
