-- How far archives that grow were read, such as the git repositories of public-inbox.
-- Makes one table: takes a moment, and locks nothing that is there.
CREATE TABLE mail_source (
    name      TEXT PRIMARY KEY,
    position  TEXT NOT NULL,
    date      TIMESTAMPTZ NOT NULL
);
