-- The whole schema: accounts, projects, submissions, what is said about them, and what happened when.
--
-- Kept in step with migrations/postgres/0001_schema.sql: same tables, columns, indexes and names.
-- Moments are microseconds since 1970 in UTC. Ids are never used twice (AUTOINCREMENT): links to
-- them live in mails and changelogs for decades. Deleting never takes a patch along.
-- Locks nothing: it runs on an empty database.

CREATE TABLE site (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    domain  TEXT NOT NULL UNIQUE CHECK (length(domain) <= 100),
    name    TEXT NOT NULL CHECK (length(name) <= 50)
) STRICT;

-- A login account and its preferences.
CREATE TABLE account (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    username              TEXT NOT NULL UNIQUE CHECK (length(username) <= 150),
    first_name            TEXT NOT NULL DEFAULT '' CHECK (length(first_name) <= 150),
    last_name             TEXT NOT NULL DEFAULT '' CHECK (length(last_name) <= 150),
    email                 TEXT NOT NULL DEFAULT '' CHECK (length(email) <= 254),
    password              TEXT NOT NULL CHECK (length(password) <= 255),
    is_active             INTEGER NOT NULL DEFAULT 1,
    is_staff              INTEGER NOT NULL DEFAULT 0,
    is_superuser          INTEGER NOT NULL DEFAULT 0,
    registration_pending  INTEGER NOT NULL DEFAULT 0,
    date_joined           INTEGER NOT NULL,
    last_login            INTEGER,
    send_email            INTEGER NOT NULL DEFAULT 0,
    items_per_page        INTEGER NOT NULL DEFAULT 100 CHECK (items_per_page > 0),
    show_ids              INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX account_email ON account (lower(email));

-- An address seen on a list. `key` is the lower-cased name and address: what lists sort and search by.
CREATE TABLE person (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    email       TEXT NOT NULL CHECK (length(email) <= 255),
    name        TEXT CHECK (length(name) <= 255),
    key         TEXT NOT NULL,
    account_id  INTEGER REFERENCES account (id) ON DELETE SET NULL
) STRICT;
CREATE UNIQUE INDEX person_email ON person (lower(email));
CREATE INDEX person_account ON person (account_id);

CREATE TABLE project (
    id                       INTEGER PRIMARY KEY AUTOINCREMENT,
    linkname                 TEXT NOT NULL UNIQUE CHECK (length(linkname) <= 255),
    name                     TEXT NOT NULL UNIQUE CHECK (length(name) <= 255),
    list_id                  TEXT NOT NULL CHECK (length(list_id) <= 255),
    list_email               TEXT NOT NULL CHECK (length(list_email) <= 200),
    subject_match            TEXT NOT NULL DEFAULT '' CHECK (length(subject_match) <= 64),
    web_url                  TEXT NOT NULL DEFAULT '' CHECK (length(web_url) <= 2000),
    scm_url                  TEXT NOT NULL DEFAULT '' CHECK (length(scm_url) <= 2000),
    webscm_url               TEXT NOT NULL DEFAULT '' CHECK (length(webscm_url) <= 2000),
    list_archive_url         TEXT NOT NULL DEFAULT '' CHECK (length(list_archive_url) <= 2000),
    list_archive_url_format  TEXT NOT NULL DEFAULT '' CHECK (length(list_archive_url_format) <= 2000),
    commit_url_format        TEXT NOT NULL DEFAULT '' CHECK (length(commit_url_format) <= 2000),
    send_notifications       INTEGER NOT NULL DEFAULT 0,
    show_dependencies        INTEGER NOT NULL DEFAULT 0,
    use_tags                 INTEGER NOT NULL DEFAULT 1,
    UNIQUE (list_id, subject_match)
) STRICT;

CREATE TABLE maintainer (
    account_id  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    project_id  INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    PRIMARY KEY (account_id, project_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX maintainer_project ON maintainer (project_id);

CREATE TABLE delegation_rule (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_id  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    path        TEXT NOT NULL CHECK (length(path) <= 255),
    priority    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (project_id, path)
) STRICT;
CREATE INDEX delegation_rule_account ON delegation_rule (account_id);

CREATE TABLE state (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT NOT NULL UNIQUE CHECK (length(name) <= 100),
    slug             TEXT NOT NULL UNIQUE CHECK (length(slug) <= 100),
    ordering         INTEGER NOT NULL UNIQUE,
    action_required  INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE tag (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT NOT NULL CHECK (length(name) <= 20),
    pattern      TEXT NOT NULL CHECK (length(pattern) <= 50),
    abbrev       TEXT NOT NULL UNIQUE CHECK (length(abbrev) <= 2),
    show_column  INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE cover (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    INTEGER NOT NULL REFERENCES project (id),
    submitter_id  INTEGER NOT NULL REFERENCES person (id),
    msgid         TEXT NOT NULL CHECK (length(msgid) <= 255),
    date          INTEGER NOT NULL,
    name          TEXT NOT NULL CHECK (length(name) <= 255),
    headers       TEXT NOT NULL DEFAULT '',
    content       TEXT,
    UNIQUE (msgid, project_id)
) STRICT;
CREATE INDEX cover_project ON cover (project_id, date, id);
CREATE INDEX cover_submitter ON cover (submitter_id);

CREATE TABLE series (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    INTEGER NOT NULL REFERENCES project (id),
    submitter_id  INTEGER NOT NULL REFERENCES person (id),
    cover_id      INTEGER UNIQUE REFERENCES cover (id) ON DELETE SET NULL,
    name          TEXT CHECK (length(name) <= 255),
    date          INTEGER NOT NULL,
    version       INTEGER NOT NULL DEFAULT 1,
    total         INTEGER NOT NULL
) STRICT;
CREATE INDEX series_match ON series (project_id, submitter_id, version, total, date);
CREATE INDEX series_submitter ON series (submitter_id);

-- Message ids of mails that were, or may yet be, received for a series.
CREATE TABLE series_reference (
    project_id  INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    msgid       TEXT NOT NULL CHECK (length(msgid) <= 255),
    series_id   INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    PRIMARY KEY (project_id, msgid)
) STRICT, WITHOUT ROWID;
CREATE INDEX series_reference_series ON series_reference (series_id);

CREATE TABLE series_dependency (
    from_series_id  INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    to_series_id    INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    PRIMARY KEY (from_series_id, to_series_id),
    CHECK (from_series_id <> to_series_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX series_dependency_to ON series_dependency (to_series_id);

CREATE TABLE patch_relation (
    id  INTEGER PRIMARY KEY AUTOINCREMENT
) STRICT;

-- What lists show of a patch; its texts are in patch_body, so that lists stay narrow.
-- `name_key` is the lower-cased name: what lists sort and search by.
CREATE TABLE patch (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    INTEGER NOT NULL REFERENCES project (id),
    submitter_id  INTEGER NOT NULL REFERENCES person (id),
    state_id      INTEGER NOT NULL REFERENCES state (id),
    delegate_id   INTEGER REFERENCES account (id) ON DELETE SET NULL,
    series_id     INTEGER REFERENCES series (id) ON DELETE SET NULL,
    related_id    INTEGER REFERENCES patch_relation (id) ON DELETE SET NULL,
    number        INTEGER CHECK (number BETWEEN 0 AND 32767),
    archived      INTEGER NOT NULL DEFAULT 0,
    date          INTEGER NOT NULL,
    msgid         TEXT NOT NULL CHECK (length(msgid) <= 255),
    name          TEXT NOT NULL CHECK (length(name) <= 255),
    name_key      TEXT NOT NULL,
    hash          TEXT CHECK (length(hash) = 40),
    commit_ref    TEXT CHECK (length(commit_ref) <= 255),
    pull_url      TEXT CHECK (length(pull_url) <= 255),
    UNIQUE (msgid, project_id),
    UNIQUE (series_id, number)
) STRICT;
CREATE INDEX patch_list ON patch (project_id, archived, state_id, date, id);
CREATE INDEX patch_date ON patch (project_id, date, id);
CREATE INDEX patch_name ON patch (project_id, name_key, date, id);
CREATE INDEX patch_submitter ON patch (submitter_id, date, id);
CREATE INDEX patch_delegate ON patch (delegate_id, archived, state_id) WHERE delegate_id IS NOT NULL;
CREATE INDEX patch_state ON patch (state_id);
CREATE INDEX patch_related ON patch (related_id) WHERE related_id IS NOT NULL;
CREATE INDEX patch_hash ON patch (hash);

CREATE TABLE patch_body (
    patch_id  INTEGER PRIMARY KEY REFERENCES patch (id) ON DELETE CASCADE,
    headers   TEXT NOT NULL DEFAULT '',
    content   TEXT,
    diff      TEXT
) STRICT;

-- A patch that loses its series loses its place in it.
CREATE TRIGGER series_delete BEFORE DELETE ON series BEGIN
    UPDATE patch SET series_id = NULL, number = NULL WHERE series_id = old.id;
END;

CREATE TABLE patch_tag (
    patch_id  INTEGER NOT NULL REFERENCES patch (id) ON DELETE CASCADE,
    tag_id    INTEGER NOT NULL REFERENCES tag (id) ON DELETE CASCADE,
    count     INTEGER NOT NULL DEFAULT 1 CHECK (count > 0),
    PRIMARY KEY (patch_id, tag_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX patch_tag_tag ON patch_tag (tag_id);

-- Comments of patches and of covers: one table, so one sequence of ids.
CREATE TABLE comment (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    patch_id      INTEGER REFERENCES patch (id) ON DELETE CASCADE,
    cover_id      INTEGER REFERENCES cover (id) ON DELETE CASCADE,
    submitter_id  INTEGER NOT NULL REFERENCES person (id),
    addressed     INTEGER,
    date          INTEGER NOT NULL,
    msgid         TEXT NOT NULL CHECK (length(msgid) <= 255),
    headers       TEXT NOT NULL DEFAULT '',
    content       TEXT,
    UNIQUE (msgid, patch_id),
    UNIQUE (msgid, cover_id),
    CHECK ((patch_id IS NULL) <> (cover_id IS NULL))
) STRICT;
CREATE INDEX comment_patch ON comment (patch_id, date, id) WHERE patch_id IS NOT NULL;
CREATE INDEX comment_cover ON comment (cover_id, date, id) WHERE cover_id IS NOT NULL;
CREATE INDEX comment_submitter ON comment (submitter_id);

CREATE TABLE bundle (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    project_id  INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name        TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
    public      INTEGER NOT NULL DEFAULT 0,
    UNIQUE (owner_id, name)
) STRICT;
CREATE INDEX bundle_project ON bundle (project_id);

CREATE TABLE bundle_patch (
    bundle_id  INTEGER NOT NULL REFERENCES bundle (id) ON DELETE CASCADE,
    patch_id   INTEGER NOT NULL REFERENCES patch (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    PRIMARY KEY (bundle_id, patch_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX bundle_patch_patch ON bundle_patch (patch_id);

-- Results of CI, append only. state: 0 pending, 1 success, 2 warning, 3 fail.
CREATE TABLE patch_check (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    patch_id     INTEGER NOT NULL REFERENCES patch (id) ON DELETE CASCADE,
    account_id   INTEGER NOT NULL REFERENCES account (id),
    date         INTEGER NOT NULL,
    state        INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
    context      TEXT NOT NULL DEFAULT 'default' CHECK (length(context) <= 255),
    target_url   TEXT CHECK (length(target_url) <= 200),
    description  TEXT
) STRICT;
CREATE INDEX patch_check_latest ON patch_check (patch_id, account_id, context, date, id);
CREATE INDEX patch_check_account ON patch_check (account_id);
CREATE INDEX patch_check_context ON patch_check (context);

CREATE TABLE event (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    category              TEXT NOT NULL CHECK (length(category) <= 25),
    project_id            INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    date                  INTEGER NOT NULL,
    actor_id              INTEGER REFERENCES account (id) ON DELETE SET NULL,
    patch_id              INTEGER REFERENCES patch (id) ON DELETE CASCADE,
    series_id             INTEGER REFERENCES series (id) ON DELETE CASCADE,
    cover_id              INTEGER REFERENCES cover (id) ON DELETE CASCADE,
    comment_id            INTEGER REFERENCES comment (id) ON DELETE CASCADE,
    check_id              INTEGER REFERENCES patch_check (id) ON DELETE CASCADE,
    previous_state_id     INTEGER REFERENCES state (id),
    current_state_id      INTEGER REFERENCES state (id),
    previous_delegate_id  INTEGER REFERENCES account (id) ON DELETE SET NULL,
    current_delegate_id   INTEGER REFERENCES account (id) ON DELETE SET NULL,
    previous_relation_id  INTEGER REFERENCES patch_relation (id) ON DELETE SET NULL,
    current_relation_id   INTEGER REFERENCES patch_relation (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX event_project ON event (project_id, date, id);
CREATE INDEX event_date ON event (date, id);
CREATE INDEX event_category ON event (category, date, id);
CREATE INDEX event_patch ON event (patch_id) WHERE patch_id IS NOT NULL;
CREATE INDEX event_series ON event (series_id) WHERE series_id IS NOT NULL;
CREATE INDEX event_cover ON event (cover_id) WHERE cover_id IS NOT NULL;
CREATE INDEX event_comment ON event (comment_id) WHERE comment_id IS NOT NULL;
CREATE INDEX event_check ON event (check_id) WHERE check_id IS NOT NULL;
CREATE INDEX event_actor ON event (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX event_previous_state ON event (previous_state_id) WHERE previous_state_id IS NOT NULL;
CREATE INDEX event_current_state ON event (current_state_id) WHERE current_state_id IS NOT NULL;
CREATE INDEX event_previous_delegate ON event (previous_delegate_id) WHERE previous_delegate_id IS NOT NULL;
CREATE INDEX event_current_delegate ON event (current_delegate_id) WHERE current_delegate_id IS NOT NULL;
CREATE INDEX event_previous_relation ON event (previous_relation_id) WHERE previous_relation_id IS NOT NULL;
CREATE INDEX event_current_relation ON event (current_relation_id) WHERE current_relation_id IS NOT NULL;

-- Each received mail, byte-exact, compressed (zstd). What became of it stands beside it.
-- `digest` is the SHA-256 of the bytes; the same bytes for the same project are kept once.
CREATE TABLE mail (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  INTEGER REFERENCES project (id) ON DELETE SET NULL,
    msgid       TEXT NOT NULL,
    received    INTEGER NOT NULL,
    outcome     TEXT NOT NULL,
    patch_id    INTEGER REFERENCES patch (id) ON DELETE SET NULL,
    cover_id    INTEGER REFERENCES cover (id) ON DELETE SET NULL,
    comment_id  INTEGER REFERENCES comment (id) ON DELETE SET NULL,
    size        INTEGER NOT NULL,
    digest      BLOB NOT NULL,
    packed      BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX mail_digest ON mail (digest, coalesce(project_id, 0));
CREATE INDEX mail_msgid ON mail (msgid);
CREATE INDEX mail_project ON mail (project_id);
CREATE INDEX mail_patch ON mail (patch_id) WHERE patch_id IS NOT NULL;
CREATE INDEX mail_cover ON mail (cover_id) WHERE cover_id IS NOT NULL;
CREATE INDEX mail_comment ON mail (comment_id) WHERE comment_id IS NOT NULL;

-- Message ids that replies refer to and nobody has seen yet: when such a mail comes, the reply is shown after all.
CREATE TABLE awaited (
    project_id  INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    msgid       TEXT NOT NULL,
    digest      BLOB NOT NULL,
    PRIMARY KEY (project_id, msgid, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX awaited_digest ON awaited (digest);

-- type: userperson, registration, optout, optin.
CREATE TABLE email_confirmation (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    type        TEXT NOT NULL CHECK (length(type) <= 20),
    email       TEXT NOT NULL CHECK (length(email) <= 200),
    account_id  INTEGER REFERENCES account (id) ON DELETE CASCADE,
    key         TEXT NOT NULL UNIQUE CHECK (length(key) = 40),
    date        INTEGER NOT NULL,
    active      INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX email_confirmation_account ON email_confirmation (account_id);

-- Addresses, lower-cased, that want no mail from us.
CREATE TABLE email_optout (
    email  TEXT PRIMARY KEY CHECK (length(email) <= 200)
) STRICT, WITHOUT ROWID;

-- State changes that wait to be told to the submitter.
CREATE TABLE patch_change_notification (
    patch_id       INTEGER PRIMARY KEY REFERENCES patch (id) ON DELETE CASCADE,
    last_modified  INTEGER NOT NULL,
    orig_state_id  INTEGER NOT NULL REFERENCES state (id)
) STRICT;
CREATE INDEX patch_change_notification_state ON patch_change_notification (orig_state_id);

-- Tokens of the API: only the SHA-256 of the key is kept. scope: read, checks, write.
CREATE TABLE token (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    key_hash    BLOB NOT NULL UNIQUE,
    name        TEXT NOT NULL DEFAULT '',
    scope       TEXT NOT NULL DEFAULT 'write',
    created     INTEGER NOT NULL,
    expires     INTEGER,
    last_used   INTEGER
) STRICT;
CREATE INDEX token_account ON token (account_id);

-- Logged-in browsers: only the SHA-256 of the cookie is kept.
CREATE TABLE session (
    key_hash    BLOB PRIMARY KEY,
    account_id  INTEGER REFERENCES account (id) ON DELETE CASCADE,
    data        TEXT NOT NULL DEFAULT '{}',
    created     INTEGER NOT NULL,
    expires     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_expires ON session (expires);
CREATE INDEX session_account ON session (account_id);
