namespace SendProxy.Sandbox.Limits;

/// <summary>One limit of the vendor.</summary>
internal sealed record LimitOptions
{
    public required LimitKind Kind { get; init; }

    /// <summary>Requests in a window, refilled in a window, or running at once. From 1.</summary>
    public required int Requests { get; init; }

    /// <summary>Length of the window. Default 1 s; without a meaning for concurrency.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Size of the bucket; 0, the default, for as many as <see cref="Requests"/>.</summary>
    public int Burst { get; init; }

    /// <summary>Fixed windows begin this much after a multiple of the window in unix time. Default zero.</summary>
    public TimeSpan Phase { get; init; }

    public ILimit Build() => Kind switch
    {
        LimitKind.FixedWindow => new FixedWindow(Requests, Window, Phase),
        LimitKind.TokenBucket => new TokenBucket(Requests, Window, Burst == 0 ? Requests : Burst),
        LimitKind.SlidingWindow => new SlidingWindow(Requests, Window),
        LimitKind.Concurrency => new Concurrency(Requests),
        _ => throw new ArgumentOutOfRangeException(nameof(Kind), Kind, "No such kind of limit."),
    };
}

/// <summary>How a vendor counts.</summary>
internal enum LimitKind
{
    /// <summary>So many in each window; windows follow each other at a fixed phase.</summary>
    FixedWindow,

    /// <summary>A bucket that fills steadily.</summary>
    TokenBucket,

    /// <summary>So many in any stretch of the window's length.</summary>
    SlidingWindow,

    /// <summary>So many that run at once.</summary>
    Concurrency,
}
