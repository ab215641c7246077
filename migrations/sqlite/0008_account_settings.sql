-- How people want their pages, a second factor for logging in, and the keys that end notifications.
-- Adds columns with constant defaults to account, makes tables: each takes a moment only and locks account alone.

-- Empty: as the reader's system, the site or the project has it. time_zone is a name of the IANA database.
ALTER TABLE account ADD COLUMN theme TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN diff_view TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN list_filters TEXT NOT NULL DEFAULT '' CHECK (length(list_filters) <= 1000);
ALTER TABLE account ADD COLUMN time_zone TEXT NOT NULL DEFAULT '' CHECK (length(time_zone) <= 100);
ALTER TABLE account ADD COLUMN single_keys INTEGER NOT NULL DEFAULT 1;
-- Whether there is a row in second_factor: known with the account, without another query.
ALTER TABLE account ADD COLUMN has_second_factor INTEGER NOT NULL DEFAULT 0;

-- The secret that an account shares with a device (RFC 6238). Codes of steps up to the last one were used.
CREATE TABLE second_factor (
    account_id  INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    secret      BLOB NOT NULL,
    created     INTEGER NOT NULL,
    last_step   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What lets somebody in whose device is lost: digests, each good for once.
CREATE TABLE recovery_code (
    account_id  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    code_hash   BLOB NOT NULL,
    PRIMARY KEY (account_id, code_hash)
) STRICT, WITHOUT ROWID;

-- Browsers that gave the password and not yet the code. The key is the digest of their cookie.
CREATE TABLE pending_login (
    key_hash    BLOB PRIMARY KEY,
    account_id  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    expires     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_login_account ON pending_login (account_id);
CREATE INDEX pending_login_expires ON pending_login (expires);

-- The keys in notifications that end them (RFC 8058): digests, and the address each was mailed to.
CREATE TABLE unsubscribe (
    key_hash  BLOB PRIMARY KEY,
    email     TEXT NOT NULL CHECK (length(email) <= 255),
    created   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX unsubscribe_created ON unsubscribe (created);
