using Prometheus;

namespace SendProxy.Sqlite;

/// <summary>The journal's series. A name or label here is a public contract.</summary>
internal sealed class JournalMetrics
{
    private readonly Counter _commits;
    private readonly Histogram _batchItems;
    private readonly Histogram _commitSeconds;
    private readonly Counter.Child _full;
    private readonly Counter.Child _bound;
    private readonly Counter.Child _io;
    private readonly Counter.Child _defect;

    public JournalMetrics(IMetricFactory metrics)
    {
        _commits = metrics.CreateCounter("sendproxy_journal_commits_total", "Transactions committed.");
        _batchItems = metrics.CreateHistogram(
            "sendproxy_journal_batch_items", "Work items in one commit.",
            new HistogramConfiguration { Buckets = [1, 2, 4, 8, 16, 32, 64, 128] });
        _commitSeconds = metrics.CreateHistogram(
            "sendproxy_journal_commit_seconds", "From the begin of a transaction until it is synced.",
            new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.0001, 2, 16) });
        var errors = metrics.CreateCounter(
            "sendproxy_journal_errors_total", "Failed transactions (full: the disk, bound: journal.maxBytes, io) and work items (defect).", ["kind"]);
        (_full, _bound, _io, _defect) = (errors.WithLabels("full"), errors.WithLabels("bound"), errors.WithLabels("io"), errors.WithLabels("defect"));
    }

    public void Committed(int items, TimeSpan took)
    {
        _commits.Inc();
        _batchItems.Observe(items);
        _commitSeconds.Observe(took.TotalSeconds);
    }

    public void Failed(JournalError error) => (error switch
    {
        JournalError.DiskFull => _full,
        JournalError.BoundReached => _bound,
        _ => _io,
    }).Inc();

    public void Defect() => _defect.Inc();
}
