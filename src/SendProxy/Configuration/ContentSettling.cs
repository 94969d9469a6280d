namespace SendProxy.Configuration;

/// <summary>What one look at polled content gives.</summary>
internal enum ContentLook
{
    /// <summary>It is what was taken last.</summary>
    Unchanged,

    /// <summary>It differs from what was taken, and from the look before: it may be half-written.</summary>
    Unsettled,

    /// <summary>It differs from what was taken, and two looks in a row agree.</summary>
    Settled,

    /// <summary>
    /// It has differed in each of <see cref="ContentSettling.MaxUnsettledLooks"/> looks. It is to be taken if it can be read whole,
    /// since it would otherwise never be.
    /// </summary>
    Overdue,
}

/// <summary>
/// Decides when the content of files that are polled is taken: once two looks in a row agree, so that a half-written file is not
/// used, and after a bounded number of looks even if it never stays the same.
/// </summary>
/// <param name="taken">A hash of what is in use; null where nothing is yet.</param>
internal sealed class ContentSettling(string? taken)
{
    /// <summary>After so many looks, one a second, content that never settles is overdue.</summary>
    public const int MaxUnsettledLooks = 10;

    private string? _taken = taken;
    private string? _seen = taken;
    private int _unsettled;

    public ContentLook Look(string hash)
    {
        var settled = hash == _seen;
        _seen = hash;
        if (hash == _taken)
        {
            _unsettled = 0;
            return ContentLook.Unchanged;
        }

        if (settled)
        {
            return ContentLook.Settled;
        }

        return ++_unsettled < MaxUnsettledLooks ? ContentLook.Unsettled : ContentLook.Overdue;
    }

    /// <summary>The content with this hash was used or refused; looks tell only of what differs from it.</summary>
    public void Take(string hash)
    {
        (_taken, _seen, _unsettled) = (hash, hash, 0);
    }
}
