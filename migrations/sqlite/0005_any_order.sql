-- Mails of a series may come in any order. Rewrites series_reference; nobody else writes meanwhile.

-- A message id may lead to several series: to its own at distance 0, and to those whose mails refer to it, 1 for
-- the mail that is answered directly, and so on.
CREATE TABLE series_claim (
    project_id  INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    msgid       TEXT NOT NULL CHECK (length(msgid) <= 255),
    series_id   INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    distance    INTEGER NOT NULL,
    PRIMARY KEY (project_id, msgid, series_id)
) STRICT, WITHOUT ROWID;
INSERT INTO series_claim SELECT r.project_id, r.msgid, r.series_id,
    NOT EXISTS (SELECT 1 FROM patch p WHERE p.msgid = r.msgid AND p.series_id = r.series_id)
    AND NOT EXISTS (SELECT 1 FROM cover c JOIN series s ON s.cover_id = c.id WHERE c.msgid = r.msgid AND s.id = r.series_id)
    FROM series_reference r;
DROP TABLE series_reference;
ALTER TABLE series_claim RENAME TO series_reference;
CREATE INDEX series_reference_series ON series_reference (series_id);

-- Mails that a series depends on and nobody has seen yet.
CREATE TABLE unmet_dependency (
    project_id  INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    msgid       TEXT NOT NULL CHECK (length(msgid) <= 255),
    series_id   INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    PRIMARY KEY (project_id, msgid, series_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX unmet_dependency_series ON unmet_dependency (series_id);
