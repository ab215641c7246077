-- Long work in the background, and when what is run regularly last was.
-- Makes two tables: takes a moment, and locks nothing that is there.

-- A job is claimed for a while by who works on it (`claims` counts how often, and fences off who lost it); each step
-- moves `position` in the transaction of its work. status: waiting, running, done, failed, stopped.
CREATE TABLE job (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    kind           TEXT NOT NULL CHECK (length(kind) <= 20),
    argument       TEXT NOT NULL DEFAULT '',
    status         TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'running', 'done', 'failed', 'stopped')),
    created        INTEGER NOT NULL,
    account_id     INTEGER REFERENCES account (id) ON DELETE SET NULL,
    claims         INTEGER NOT NULL DEFAULT 0,
    claimed_until  INTEGER,
    finished       INTEGER,
    position       INTEGER NOT NULL DEFAULT 0,
    goal           INTEGER NOT NULL DEFAULT 0,
    changed        INTEGER NOT NULL DEFAULT 0,
    log            TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX job_status ON job (status, id);
CREATE INDEX job_account ON job (account_id);

-- When something that is run regularly was last done: cron, backup.
CREATE TABLE pulse (
    name  TEXT PRIMARY KEY CHECK (length(name) <= 20),
    date  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
