namespace SendProxy.Secrets;

/// <summary>Which of several keys: the one in use, the one to come, the one before.</summary>
internal enum SecretSlot
{
    Current,
    Next,
    Previous,
}

/// <summary>What a look at a source gave.</summary>
internal enum SecretState
{
    /// <summary>A usable value.</summary>
    Ok,

    /// <summary>No such file, or the variable is not set.</summary>
    Missing,

    /// <summary>It is there, but this user may not read it.</summary>
    Unreadable,

    /// <summary>A directory where a file is meant.</summary>
    Directory,

    /// <summary>A file where a directory is meant.</summary>
    NotDirectory,

    /// <summary>Nothing but white space.</summary>
    Empty,

    /// <summary>Control characters, no key can be made of it, or not in the operator's pattern.</summary>
    Malformed,

    /// <summary>More than one line.</summary>
    SeveralLines,

    /// <summary>Text in UTF-16, as Windows tools write it.</summary>
    Utf16,

    /// <summary>Quotes around it.</summary>
    Quoted,

    /// <summary>With the scheme before it that the proxy adds itself: <c>Bearer </c>.</summary>
    WithScheme,

    /// <summary>A space before it or in it.</summary>
    WithSpace,

    /// <summary>Larger than any secret.</summary>
    TooLarge,

    /// <summary>A test key where only live keys are allowed.</summary>
    TestKey,
}

/// <summary>One slot's raw text, before the pattern is checked.</summary>
/// <param name="Text">Trimmed of a byte order mark and line ends; null unless <paramref name="State"/> is Ok.</param>
internal readonly record struct SecretReading(SecretSlot Slot, SecretState State, string? Text)
{
    // A record would print its text.
    public override string ToString() => $"{Slot} {State}";
}

/// <summary>Where secrets come from: a file, a directory, an environment variable.</summary>
internal interface ISecretSource
{
    /// <summary>Names the place for logs and errors: <c>file /run/secrets/key</c>. Equal for equal places.</summary>
    public string Place { get; }

    /// <returns>Current always; next and previous only where the source has slots.</returns>
    public IReadOnlyList<SecretReading> Read();

    /// <returns>Who else can read or change it than should, with the remedy; nothing where nobody can or where it cannot be told.</returns>
    public IEnumerable<string> Exposures() => [];
}
