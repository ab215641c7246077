-- Mails that wait to leave: written with what causes them, sent after the commit by whoever claims them.
-- A claim moves `next_try` ahead, so a sender that dies lets go by itself. Locks nothing.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    sender      TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    subject     TEXT NOT NULL,
    headers     TEXT NOT NULL DEFAULT '',
    content     TEXT NOT NULL,
    created     INTEGER NOT NULL,
    tries       INTEGER NOT NULL DEFAULT 0,
    next_try    INTEGER NOT NULL,
    last_error  TEXT,
    failed      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_due ON outbox (next_try, id) WHERE failed = FALSE;
