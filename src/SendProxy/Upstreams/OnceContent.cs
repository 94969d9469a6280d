namespace SendProxy.Upstreams;

/// <summary>
/// What an attempt sends. It goes out once: SocketsHttpHandler by itself repeats what an HTTP/2 vendor declares not processed, up
/// to three times, and tells nobody. <see cref="Upstream"/> ends such a repetition before its first byte, and the attempt's owner
/// decides. docs/decisions/0022.
/// </summary>
internal abstract class OnceContent : HttpContent
{
    private volatile bool _begun;
    private volatile bool _repeatEnded;

    /// <summary>True from the moment that something of it may have left this process.</summary>
    public bool Begun => _begun;

    /// <summary>The handler was about to send it again. It does so only where the vendor is known to have done nothing.</summary>
    public bool RepeatEnded => _repeatEnded;

    protected void Begin() => _begun = true;

    /// <summary>Called as each head is about to be written.</summary>
    /// <exception cref="IOException">It was sent once.</exception>
    public void CheckFirst()
    {
        if (_begun)
        {
            _repeatEnded = true;
            throw new IOException("The request was sent once; what follows is decided elsewhere.");
        }
    }
}
