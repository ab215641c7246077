-- Whom a project tells of its events by HTTP, and what became of each telling. Locks nothing.
CREATE TABLE webhook (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id   INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    url          TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    secret       TEXT NOT NULL CHECK (length(secret) BETWEEN 16 AND 200),
    -- Words of categories with blanks between them; empty: all.
    categories   TEXT NOT NULL DEFAULT '',
    active       INTEGER NOT NULL DEFAULT 1,
    created      INTEGER NOT NULL,
    -- What was written up to this event has its deliveries, or was not asked for.
    last_event   INTEGER NOT NULL DEFAULT 0,
    -- Tries that failed one after the other, and until when it is left alone: because of them, or while it is being told.
    failures     INTEGER NOT NULL DEFAULT 0,
    rests_until  INTEGER
) STRICT;
CREATE INDEX webhook_project ON webhook (project_id);

-- Events to be told, and those that were: the log. One without a next try is done, one way or the other.
CREATE TABLE webhook_delivery (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id  INTEGER NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    event_id    INTEGER NOT NULL,
    category    TEXT NOT NULL,
    body        TEXT NOT NULL,
    created     INTEGER NOT NULL,
    tries       INTEGER NOT NULL DEFAULT 0,
    next_try    INTEGER,
    delivered   INTEGER,
    -- What the last try brought: the status if there was an answer, what was answered or went wrong, and milliseconds.
    status      INTEGER,
    answer      TEXT NOT NULL DEFAULT '',
    took        INTEGER
) STRICT;
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, id) WHERE next_try IS NOT NULL;
CREATE INDEX webhook_delivery_webhook ON webhook_delivery (webhook_id);
CREATE INDEX webhook_delivery_created ON webhook_delivery (created);
