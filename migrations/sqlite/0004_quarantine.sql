-- Mails that could not be taken in, kept whole until somebody looks at them. A new table: nothing is locked.
-- list_id is the list that the command line named, '' for none; project_id the project of the mail's list, if one has it.
CREATE TABLE quarantine (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  INTEGER REFERENCES project (id) ON DELETE SET NULL,
    list_id     TEXT NOT NULL,
    msgid       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    received    INTEGER NOT NULL,
    tries       INTEGER NOT NULL,
    last_try    INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    digest      BLOB NOT NULL,
    packed      BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX quarantine_digest ON quarantine (digest, list_id);
CREATE INDEX quarantine_project ON quarantine (project_id);
