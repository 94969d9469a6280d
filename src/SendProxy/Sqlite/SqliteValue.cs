namespace SendProxy.Sqlite;

/// <summary>A parameter of a statement: a number, a text, bytes, or NULL by default. Nothing is boxed.</summary>
internal readonly struct SqliteValue
{
    private SqliteValue(SqliteType type, long number, object? reference) => (Type, Number, Reference) = (type, number, reference);

    public SqliteType Type { get; }

    public long Number { get; }

    public string Text => (string)Reference!;

    public byte[] Bytes => (byte[])Reference!;

    private object? Reference { get; }

    public static implicit operator SqliteValue(long value) => new(SqliteType.Number, value, null);

    public static implicit operator SqliteValue(int value) => (long)value;

    public static implicit operator SqliteValue(long? value) => value is { } number ? number : default(SqliteValue);

    public static implicit operator SqliteValue(int? value) => value is { } number ? number : default(SqliteValue);

    public static implicit operator SqliteValue(string? value) => value is null ? default : new(SqliteType.Text, 0, value);

    public static implicit operator SqliteValue(byte[]? value) => value is null ? default : new(SqliteType.Bytes, 0, value);
}

/// <summary>The storage classes that the journal uses (sqlite.org/datatype3.html).</summary>
internal enum SqliteType
{
    Null,
    Number,
    Text,
    Bytes,
}
