namespace SendProxy.Upstreams.Connections;

/// <summary>
/// What an attempt sends. It goes out once: SocketsHttpHandler by itself repeats what an HTTP/2 vendor declares not processed, up
/// to three times, and tells nobody. <see cref="Upstream"/> ends such a repetition before its first byte, and the attempt's owner
/// decides. docs/decisions/0022.
/// </summary>
internal abstract class OnceContent : HttpContent
{
    private volatile bool _begun;
    private volatile bool _repeatEnded;
    private bool _lengthHidden;

    /// <summary>True from the moment that something of it may have left this process.</summary>
    public bool Begun => _begun;

    /// <summary>The handler was about to send it again. It does so only where the vendor is known to have done nothing.</summary>
    public bool RepeatEnded => _repeatEnded;

    /// <summary>
    /// There is no content, and the method has none by its meaning: no Content-Length goes out (RFC 9110, 8.6). The request still
    /// carries this object, since the handler repeats requests without one by itself.
    /// </summary>
    public bool IsAbsent { get; init; }

    protected void Begin() => _begun = true;

    /// <summary>Called as each header is about to be written, those of the request before those of the content.</summary>
    /// <exception cref="IOException">It was sent once.</exception>
    public void BeforeHeader()
    {
        if (_begun)
        {
            _repeatEnded = true;
            throw new IOException("The request was sent once; what follows is decided elsewhere.");
        }

        if (IsAbsent && !_lengthHidden)
        {
            // The handler asks for a length before it writes the head, and writes the one that it finds then.
            _lengthHidden = true;
            Headers.Remove("Content-Length");
        }
    }
}
