namespace SendProxy.Configuration;

/// <summary>An immutable snapshot that is swapped whole. Readers take <see cref="Current"/> once and keep it for a request.</summary>
internal sealed class Live<T>(T initial)
    where T : class
{
    private T _current = initial;

    public T Current => Volatile.Read(ref _current);

    public void Swap(T next) => Volatile.Write(ref _current, next);
}
