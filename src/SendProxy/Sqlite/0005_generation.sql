-- Which journal this is, and how often it was opened. Both stand in a file beside it too: a journal that was emptied, replaced by another or
-- by an older copy, or that lost its write-ahead log, does not agree with that file.
CREATE TABLE generation (
    journal TEXT NOT NULL,
    number  INTEGER NOT NULL
) STRICT;
