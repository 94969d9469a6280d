-- A lot is what is counted, claimed and held together. There are as many as the configuration and the sessions make.
CREATE TABLE lot (
    lot   INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    route TEXT NOT NULL,
    grp   TEXT NOT NULL,
    UNIQUE (queue, route, grp)
) STRICT;

-- Times are Unix milliseconds. seq is the order of arrival.
CREATE TABLE item (
    seq             INTEGER PRIMARY KEY,
    queue           TEXT NOT NULL,
    id              BLOB NOT NULL,
    lot             INTEGER NOT NULL,
    schema_version  INTEGER NOT NULL,
    state           INTEGER NOT NULL,           -- ItemState; never Held
    waiting         INTEGER NOT NULL,           -- the state it returns to when it is given back or recovered
    ready           INTEGER NOT NULL,           -- 1: waiting, and nothing stands before it under its order key
    lane            INTEGER NOT NULL,
    token           INTEGER NOT NULL DEFAULT 0,
    attempts        INTEGER NOT NULL DEFAULT 0,
    attempting      INTEGER NOT NULL DEFAULT 0, -- the token under which an attempt may have been started; 0: none
    created         INTEGER NOT NULL,
    due             INTEGER NOT NULL,
    deadline        INTEGER,
    expires         INTEGER,
    finished        INTEGER,
    order_key       TEXT,
    order_free      INTEGER NOT NULL DEFAULT 0, -- 1: those behind it do not wait for it
    idempotency_key TEXT,
    key_fingerprint TEXT,
    reason          TEXT,
    answer_status   INTEGER,
    metadata        BLOB NOT NULL,              -- sealed, as are body and answer
    answer          BLOB,
    body            BLOB NOT NULL               -- last: a page of a list then never reads its overflow pages
) STRICT;

CREATE UNIQUE INDEX item_id ON item (queue, id);

-- What may be claimed, in the order in which it is claimed.
CREATE INDEX item_ready ON item (lot, lane, due, seq) WHERE ready = 1;

-- Lists, and at open the counts without touching the rows.
CREATE INDEX item_state ON item (queue, state, seq, lot);

CREATE INDEX item_order ON item (lot, order_key, seq) WHERE order_key IS NOT NULL AND state < 4;

CREATE INDEX item_expires ON item (queue, expires) WHERE expires IS NOT NULL AND state IN (0, 2);

CREATE INDEX item_finished ON item (state, finished) WHERE finished IS NOT NULL;

CREATE TABLE hold (
    queue  TEXT NOT NULL,
    scope  INTEGER NOT NULL,
    name   TEXT NOT NULL,
    reason TEXT NOT NULL,
    since  INTEGER NOT NULL,
    PRIMARY KEY (queue, scope, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE dedupe (
    seq   INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    hash  BLOB NOT NULL,
    item  BLOB NOT NULL,
    until INTEGER NOT NULL,
    UNIQUE (scope, hash)
) STRICT;

CREATE INDEX dedupe_oldest ON dedupe (scope, seq);
