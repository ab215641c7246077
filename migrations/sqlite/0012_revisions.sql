-- Which revision of a series follows which. Makes two tables and an index: about a second for each million series. What is there already
-- is linked afterwards, by a job in the background.

-- The digits after the dot of v5.1, which sends some patches of v5 again.
ALTER TABLE series ADD COLUMN minor INTEGER NOT NULL DEFAULT 0 CHECK (minor BETWEEN 0 AND 32767);

-- What a series says of its revisions: an id that all of them share, mails of earlier ones.
CREATE TABLE revision_sign (
    project_id  INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    series_id   INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL CHECK (kind IN ('change-id', 'supersedes', 'link', 'reply')),
    value       TEXT NOT NULL CHECK (length(value) <= 255),
    PRIMARY KEY (series_id, kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX revision_sign_value ON revision_sign (value, project_id, kind);

-- The revision before, and why it is taken for that. A link that somebody took away stays as one that leads nowhere.
CREATE TABLE revision_link (
    series_id   INTEGER PRIMARY KEY REFERENCES series (id) ON DELETE CASCADE,
    earlier_id  INTEGER REFERENCES series (id) ON DELETE CASCADE,
    reason      TEXT NOT NULL CHECK (reason IN ('change-id', 'supersedes', 'link', 'reply', 'title', 'similar', 'hand', 'none')),
    claimed     INTEGER NOT NULL CHECK (claimed IN (0, 1)),
    account_id  INTEGER REFERENCES account (id) ON DELETE SET NULL,
    date        INTEGER NOT NULL,
    CHECK ((earlier_id IS NULL) = (reason = 'none')),
    CHECK (earlier_id <> series_id)
) STRICT;
CREATE INDEX revision_link_earlier ON revision_link (earlier_id);

-- The series of a person by time.
CREATE INDEX series_recent ON series (project_id, submitter_id, date);

-- Whether a complete newer revision makes the patches of the one before superseded.
ALTER TABLE project ADD COLUMN supersede INTEGER NOT NULL DEFAULT 0 CHECK (supersede IN (0, 1));

INSERT INTO job (kind, created) SELECT 'relink', unixepoch() * 1000000 WHERE EXISTS (SELECT 1 FROM series);
-- A table without rows has had no last one.
DELETE FROM sqlite_sequence WHERE name = 'job' AND seq = 0;
