-- Who reviews what until when, and up to which reply somebody has seen them. Makes a table and an index: about a second for each
-- million events. Every account has one more column; the replies that are there count as seen.

-- A promise to review a patch or a series. It ends by itself; one made anew replaces the same user's before.
CREATE TABLE review_claim (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    patch_id    INTEGER REFERENCES patch (id) ON DELETE CASCADE,
    series_id   INTEGER REFERENCES series (id) ON DELETE CASCADE,
    account_id  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    made        INTEGER NOT NULL,
    ends        INTEGER NOT NULL,
    UNIQUE (patch_id, account_id),
    UNIQUE (series_id, account_id),
    CHECK ((patch_id IS NULL) <> (series_id IS NULL)),
    CHECK (ends > made)
) STRICT;
CREATE INDEX review_claim_account ON review_claim (account_id);
CREATE INDEX review_claim_ends ON review_claim (ends);

-- The number of the newest comment that a user has seen as a new reply: numbers grow as mails come, whenever they were written.
ALTER TABLE account ADD COLUMN replies_seen INTEGER NOT NULL DEFAULT 0;
UPDATE account SET replies_seen = (SELECT coalesce(max(id), 0) FROM comment);

-- What somebody has decided, the newest last.
CREATE INDEX event_decided ON event (actor_id, id) WHERE category = 'patch-state-changed' AND actor_id IS NOT NULL;
