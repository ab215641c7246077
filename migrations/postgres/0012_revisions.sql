-- Which revision of a series follows which. Makes two tables and an index: about a second for each million series. What is there already
-- is linked afterwards, by a job in the background.

-- The digits after the dot of v5.1, which sends some patches of v5 again.
ALTER TABLE series ADD COLUMN minor BIGINT NOT NULL DEFAULT 0 CHECK (minor BETWEEN 0 AND 32767);

-- What a series says of its revisions: an id that all of them share, mails of earlier ones.
CREATE TABLE revision_sign (
    project_id  BIGINT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    series_id   BIGINT NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL CHECK (kind IN ('change-id', 'supersedes', 'link', 'reply')),
    value       TEXT NOT NULL CHECK (length(value) <= 255),
    PRIMARY KEY (series_id, kind, value)
);
CREATE INDEX revision_sign_value ON revision_sign (value, project_id, kind);

-- The revision before, and why it is taken for that. A link that somebody took away stays as one that leads nowhere.
CREATE TABLE revision_link (
    series_id   BIGINT PRIMARY KEY REFERENCES series (id) ON DELETE CASCADE,
    earlier_id  BIGINT REFERENCES series (id) ON DELETE CASCADE,
    reason      TEXT NOT NULL CHECK (reason IN ('change-id', 'supersedes', 'link', 'reply', 'title', 'similar', 'hand', 'none')),
    claimed     BOOLEAN NOT NULL,
    account_id  BIGINT REFERENCES account (id) ON DELETE SET NULL,
    date        TIMESTAMPTZ NOT NULL,
    CHECK ((earlier_id IS NULL) = (reason = 'none')),
    CHECK (earlier_id <> series_id)
);
CREATE INDEX revision_link_earlier ON revision_link (earlier_id);

-- The series of a person by time.
CREATE INDEX series_recent ON series (project_id, submitter_id, date);

-- Whether a complete newer revision makes the patches of the one before superseded.
ALTER TABLE project ADD COLUMN supersede BOOLEAN NOT NULL DEFAULT FALSE;

INSERT INTO job (kind, created) SELECT 'relink', now() WHERE EXISTS (SELECT 1 FROM series);

-- How many names hold a word is estimated from more of them: whether an index helps depends on it.
ALTER TABLE patch ALTER COLUMN name_key SET STATISTICS 1000;
