-- Records of idempotency keys. id is SHA-256 of upstream, namespace and key: the key itself may be personal data.
CREATE TABLE idempotency (
    id          BLOB PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    state       INTEGER NOT NULL,           -- 0 running, 1 finished, 2 open, 3 unknown
    token       INTEGER NOT NULL,           -- of the owner; each claim takes the next
    leased      INTEGER NOT NULL,           -- Unix ms until which a running record is its owner's
    started     INTEGER,                    -- Unix ms at which an attempt may first have been sent
    expires     INTEGER NOT NULL,
    answer      BLOB                        -- sealed
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_expires ON idempotency (expires);
