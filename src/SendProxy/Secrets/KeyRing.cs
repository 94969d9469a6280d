using System.Runtime.CompilerServices;

namespace SendProxy.Secrets;

/// <summary>The keys of several watched secrets: all of them verify while one is rotated, the first one signs.</summary>
internal sealed class KeyRing(IReadOnlyList<WatchedSecret> secrets, SigningKeyFormat form)
{
    private readonly ConditionalWeakTable<Secret, Slot> _made = [];

    /// <summary>What is usable now; empty where no secret is there or none is a key of this form.</summary>
    public IReadOnlyList<SigningKey> Keys
    {
        get
        {
            var keys = new List<SigningKey>(secrets.Count);
            foreach (var watched in secrets)
            {
                if (watched.Set.Current is { } secret && _made.GetValue(secret, Make).Key is { } key)
                {
                    keys.Add(key);
                }
            }

            return keys;
        }
    }

    private Slot Make(Secret secret) => new(SigningKey.Create(secret, form));

    private sealed record Slot(SigningKey? Key);
}
