using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting;

/// <summary>Writes to the log when the vendor blocks a limit, and when the block has ended. Called under the limit's lock.</summary>
internal sealed partial class BlockLog(string limit, ILogger logger)
{
    private bool _isBlocked;

    /// <summary>The time until the block ends; zero or less where there is none.</summary>
    public void Look(Microseconds left)
    {
        if (left > Microseconds.Zero == _isBlocked)
        {
            return;
        }

        _isBlocked = !_isBlocked;
        if (_isBlocked)
        {
            Log.Blocked(logger, limit, Math.Ceiling(left.Seconds), limit);
        }
        else
        {
            Log.BlockEnded(logger, limit);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(323, LogLevel.Warning,
            "The vendor blocks limits.{Limit}: it answered 429 and asked to wait, and nothing is sent for {Seconds} s. If you know that it answers again: sendproxy limits unblock {Name}")]
        public static partial void Blocked(ILogger logger, string limit, double seconds, string name);

        [LoggerMessage(324, LogLevel.Information, "The block of limits.{Limit} has ended")]
        public static partial void BlockEnded(ILogger logger, string limit);
    }
}
