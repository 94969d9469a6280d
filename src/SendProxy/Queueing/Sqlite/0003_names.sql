-- Names as small as they can be: a name's place in an index is random, so each new one touches a page of its own, and what fits into
-- a page decides how many. Instead of whole hashes beside the scope's text: 16 bytes of a hash, of which the index holds 8.
CREATE TABLE dedupe_scope (
    number INTEGER PRIMARY KEY,
    scope  TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO dedupe_scope (scope) SELECT DISTINCT scope FROM dedupe ORDER BY scope;

CREATE TABLE name (
    seq   INTEGER PRIMARY KEY, -- the scope's number << 44, and the order of arrival in it
    head  BLOB NOT NULL,       -- bytes 0 to 7 of the name's SHA-256
    rest  BLOB NOT NULL,       -- bytes 8 to 15
    item  BLOB NOT NULL,
    until INTEGER NOT NULL
) STRICT;

INSERT INTO name (seq, head, rest, item, until)
SELECT (number << 44) | seq, substr(hash, 1, 8), substr(hash, 9, 8), item, until FROM dedupe JOIN dedupe_scope USING (scope);

DROP TABLE dedupe;

CREATE INDEX name_head ON name (head);
