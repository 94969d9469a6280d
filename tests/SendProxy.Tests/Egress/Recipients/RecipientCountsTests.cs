using Microsoft.Extensions.Time.Testing;
using SendProxy.Configuration;
using SendProxy.Egress.Recipients;

namespace SendProxy.Tests.Egress.Recipients;

public class RecipientCountsTests
{
    private static readonly Rate Two = new(2, TimeSpan.FromHours(1));
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Take_OneOfSeveralUsedUp_CountsNone()
    {
        var counts = CreateCounts(new RecipientBounds(Two, null, null, 100));
        counts.Take([A, A], out _);

        Assert.Equal("per_recipient", counts.Take([B, A], out _)!.Value.Reason);
        Assert.Null(counts.Take([B, B], out _));
    }

    [Fact]
    public void Take_OneRange_IsCountedOverItsRecipients()
    {
        var counts = CreateCounts(new RecipientBounds(null, Two, null, 100));
        counts.Take([A, B], out _);

        var used = counts.Take([A], out _)!.Value;

        Assert.Equal(("per_prefix", TimeSpan.FromHours(1)), (used.Reason, used.Wait));
        Assert.Null(counts.Take([Other], out _));
    }

    [Fact]
    public void Take_OverTheDay_IsRefusedWhoeverItIs()
    {
        var counts = CreateCounts(new RecipientBounds(null, null, 2, 100));
        counts.Take([A, Other], out _);
        _time.Advance(TimeSpan.FromHours(23));

        Assert.Equal(TimeSpan.FromHours(1), counts.Take([B], out _)!.Value.Wait);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Null(counts.Take([B], out _));
    }

    [Fact]
    public void GiveBack_WhatWasTaken_IsAsIfItHadNotBeen()
    {
        var counts = CreateCounts(new RecipientBounds(Two, Two, 2, 100));
        counts.Take([A, B], out var taken);

        counts.GiveBack([A, B], taken);

        Assert.Null(counts.Take([A, A], out _));
    }

    private static RecipientHashes A => new(1, 10);

    private static RecipientHashes B => new(2, 10);

    private static RecipientHashes Other => new(3, 11);

    private RecipientCounts CreateCounts(RecipientBounds bounds) => new(bounds, () => 0, _time);
}
