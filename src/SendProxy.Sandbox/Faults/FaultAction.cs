namespace SendProxy.Sandbox.Faults;

/// <summary>What a fault does to a send.</summary>
internal enum FaultAction
{
    /// <summary>Answers with an error; nothing is accepted.</summary>
    Refuse,

    /// <summary>Cuts the connection before the body is read; nothing is accepted.</summary>
    DropUnread,

    /// <summary>Reads the body and cuts the connection; nothing is accepted.</summary>
    DropBefore,

    /// <summary>Waits, then goes on as usual.</summary>
    DelayBefore,

    /// <summary>Accepts, then cuts the connection without an answer.</summary>
    AcceptDrop,

    /// <summary>Accepts, then answers 5xx.</summary>
    ErrorAfter,

    /// <summary>Accepts, then waits before it answers.</summary>
    Delay,

    /// <summary>Accepts and says Remaining 0; refuses all others until the reset.</summary>
    RemainingZero,

    /// <summary>Accepts and promises a longer body than it sends before it cuts the connection.</summary>
    PartialBody,

    /// <summary>Accepts and sends the head of the answer byte by byte.</summary>
    SlowHeaders,

    /// <summary>Accepts and answers with an HTML page.</summary>
    WrongContentType,

    /// <summary>Accepts and shows the caller's API key in a header and in the body.</summary>
    KeyEcho,

    /// <summary>Accepts, sends, loses the session and answers 422.</summary>
    SessionDrop,

    /// <summary>Answers 202 and sends nothing.</summary>
    SessionLies,

    /// <summary>Accepts, and reports a disconnect that did not happen.</summary>
    FalseDisconnect,

    /// <summary>Accepts; the events that follow are unusual.</summary>
    Life,
}
