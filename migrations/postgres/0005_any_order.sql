-- Mails of a series may come in any order. Rewrites series_reference, which is locked meanwhile.

-- A message id may lead to several series: to its own at distance 0, and to those whose mails refer to it, 1 for
-- the mail that is answered directly, and so on.
ALTER TABLE series_reference ADD COLUMN distance BIGINT NOT NULL DEFAULT 1;
ALTER TABLE series_reference ALTER COLUMN distance DROP DEFAULT;
ALTER TABLE series_reference DROP CONSTRAINT series_reference_pkey;
ALTER TABLE series_reference ADD PRIMARY KEY (project_id, msgid, series_id);
UPDATE series_reference r SET distance = 0
    WHERE EXISTS (SELECT 1 FROM patch p WHERE p.msgid = r.msgid AND p.series_id = r.series_id)
    OR EXISTS (SELECT 1 FROM cover c JOIN series s ON s.cover_id = c.id WHERE c.msgid = r.msgid AND s.id = r.series_id);

-- Mails that a series depends on and nobody has seen yet.
CREATE TABLE unmet_dependency (
    project_id  BIGINT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    msgid       TEXT NOT NULL CHECK (length(msgid) <= 255),
    series_id   BIGINT NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    position    BIGINT NOT NULL,
    PRIMARY KEY (project_id, msgid, series_id)
);
CREATE INDEX unmet_dependency_series ON unmet_dependency (series_id);
