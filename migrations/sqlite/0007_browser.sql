-- What people do in a browser: sessions they can tell apart, undoing, limits, permissions, a log of administration.
-- Renames a column of email_confirmation, adds columns with constant defaults, makes tables: each takes a moment only.

-- The digest of the key that was mailed: 40 hex digits of its SHA-256, so that who reads the table cannot confirm.
ALTER TABLE email_confirmation RENAME COLUMN key TO key_digest;
ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN seen INTEGER;
ALTER TABLE bundle ADD COLUMN description TEXT NOT NULL DEFAULT '';

-- How often something was tried since it began: logins, mails to somebody. The key is a digest.
CREATE TABLE throttle (
    key    BLOB PRIMARY KEY,
    began  INTEGER NOT NULL,
    count  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX throttle_began ON throttle (began);

-- What a change can be undone with, for a short time: the values before it, as JSON.
CREATE TABLE undo (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created     INTEGER NOT NULL,
    data        TEXT NOT NULL
) STRICT;
CREATE INDEX undo_account ON undo (account_id);
CREATE INDEX undo_created ON undo (created);

-- What staff may do in the admin console, themselves or by their groups: patchwork.change_patch and the like.
CREATE TABLE account_group (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    name  TEXT NOT NULL UNIQUE CHECK (length(name) <= 150)
) STRICT;
CREATE TABLE group_member (
    group_id    INTEGER NOT NULL REFERENCES account_group (id) ON DELETE CASCADE,
    account_id  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_member_account ON group_member (account_id);
CREATE TABLE group_permission (
    group_id    INTEGER NOT NULL REFERENCES account_group (id) ON DELETE CASCADE,
    permission  TEXT NOT NULL CHECK (length(permission) <= 100),
    PRIMARY KEY (group_id, permission)
) STRICT, WITHOUT ROWID;
CREATE TABLE account_permission (
    account_id  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    permission  TEXT NOT NULL CHECK (length(permission) <= 100),
    PRIMARY KEY (account_id, permission)
) STRICT, WITHOUT ROWID;

-- Every change made in the admin console. Never edited. action: 1 added, 2 changed, 3 deleted. changes: JSON.
CREATE TABLE audit (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    date        INTEGER NOT NULL,
    account_id  INTEGER REFERENCES account (id) ON DELETE SET NULL,
    username    TEXT NOT NULL,
    address     TEXT NOT NULL DEFAULT '',
    action      INTEGER NOT NULL CHECK (action BETWEEN 1 AND 3),
    model       TEXT NOT NULL,
    object_id   TEXT NOT NULL,
    object      TEXT NOT NULL,
    changes     TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX audit_object ON audit (model, object_id, id);
CREATE INDEX audit_account ON audit (account_id, id);

-- Addresses of people that were merged into another, lower-cased: later mail from them finds who is left.
CREATE TABLE person_alias (
    email      TEXT PRIMARY KEY CHECK (length(email) <= 255),
    person_id  INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX person_alias_person ON person_alias (person_id);

-- Names under which projects were reachable before: their links lead on.
CREATE TABLE project_alias (
    linkname    TEXT PRIMARY KEY CHECK (length(linkname) <= 255),
    project_id  INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX project_alias_project ON project_alias (project_id);
