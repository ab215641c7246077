-- The index of texts: what is said in patches, cover letters and comments, found word by word.
-- Makes tables, triggers, and an index of commits: takes a moment, during which nothing is written. What is there already is indexed afterwards, in the background.

-- A mail that is indexed. Its number is made of when it was written and which it is (store/search/number.rs), so the newest
-- come last. patch_id or cover_id is what it is, or what the comment hangs on.
CREATE TABLE search_doc (
    id          INTEGER PRIMARY KEY,
    project_id  INTEGER NOT NULL,
    patch_id    INTEGER,
    cover_id    INTEGER,
    comment_id  INTEGER
) STRICT;

-- Words are cut before they come here (domain/search/words.rs), so a blank separates them and = is part of one.
CREATE VIRTUAL TABLE search_index USING fts5(
    subject, body, diff, extra, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '='"
);
-- An archive's transaction is written at once, not in several parts that have to be merged.
INSERT INTO search_index (search_index, rank) VALUES ('hashsize', 16777216);
CREATE TRIGGER search_doc_delete AFTER DELETE ON search_doc BEGIN
    DELETE FROM search_index WHERE rowid = old.id;
END;

-- Mails whose texts have changed and are to be indexed anew: kind 0 a patch, 1 a cover letter, 2 a comment.
CREATE TABLE search_wait (
    kind  INTEGER NOT NULL,
    id    INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- How far mails are indexed that were there before: all but those with numbers less than `below`.
CREATE TABLE search_state (
    kind   INTEGER PRIMARY KEY,
    below  INTEGER NOT NULL
) STRICT;
INSERT INTO search_state SELECT 0, coalesce(max(id), 0) + 1 FROM patch;
INSERT INTO search_state SELECT 1, coalesce(max(id), 0) + 1 FROM cover;
INSERT INTO search_state SELECT 2, coalesce(max(id), 0) + 1 FROM comment;
INSERT INTO job (kind, created)
    SELECT 'reindex', CAST(unixepoch('subsec') * 1000000 AS INTEGER) WHERE EXISTS (SELECT 1 FROM search_state WHERE below > 1);
-- Inserting nothing leaves a last id of 0, which no table of ours has.
DELETE FROM sqlite_sequence WHERE name = 'job' AND seq = 0;

-- Triggers, so that no way of changing or deleting a mail can forget the index.
CREATE TRIGGER search_patch_delete AFTER DELETE ON patch BEGIN
    DELETE FROM search_doc WHERE id = (max(0, min(old.date / 1000000, 17179869183)) << 29) | ((old.id * 4) & 536870911);
    DELETE FROM search_wait WHERE kind = 0 AND id = old.id;
END;
CREATE TRIGGER search_cover_delete AFTER DELETE ON cover BEGIN
    DELETE FROM search_doc WHERE id = (max(0, min(old.date / 1000000, 17179869183)) << 29) | ((old.id * 4 + 1) & 536870911);
    DELETE FROM search_wait WHERE kind = 1 AND id = old.id;
END;
CREATE TRIGGER search_comment_delete AFTER DELETE ON comment BEGIN
    DELETE FROM search_doc WHERE id = (max(0, min(old.date / 1000000, 17179869183)) << 29) | ((old.id * 4 + 2) & 536870911);
    DELETE FROM search_wait WHERE kind = 2 AND id = old.id;
END;
CREATE TRIGGER search_patch_update AFTER UPDATE OF name, date, project_id, submitter_id ON patch BEGIN
    DELETE FROM search_doc WHERE id = (max(0, min(old.date / 1000000, 17179869183)) << 29) | ((old.id * 4) & 536870911);
    INSERT OR IGNORE INTO search_wait VALUES (0, new.id);
    INSERT OR IGNORE INTO search_wait SELECT 2, id FROM comment WHERE patch_id = new.id AND old.project_id <> new.project_id;
END;
CREATE TRIGGER search_body_update AFTER UPDATE OF content, diff ON patch_body BEGIN
    INSERT OR IGNORE INTO search_wait VALUES (0, new.patch_id);
END;
CREATE TRIGGER search_cover_update AFTER UPDATE OF name, date, content, project_id, submitter_id ON cover BEGIN
    DELETE FROM search_doc WHERE id = (max(0, min(old.date / 1000000, 17179869183)) << 29) | ((old.id * 4 + 1) & 536870911);
    INSERT OR IGNORE INTO search_wait VALUES (1, new.id);
    INSERT OR IGNORE INTO search_wait SELECT 2, id FROM comment WHERE cover_id = new.id AND old.project_id <> new.project_id;
END;
CREATE TRIGGER search_comment_update AFTER UPDATE OF patch_id, cover_id, date, content, submitter_id ON comment BEGIN
    DELETE FROM search_doc WHERE id = (max(0, min(old.date / 1000000, 17179869183)) << 29) | ((old.id * 4 + 2) & 536870911);
    INSERT OR IGNORE INTO search_wait VALUES (2, new.id);
END;

-- Commits are looked for by the beginning of their ids.
CREATE INDEX patch_commit ON patch (commit_ref) WHERE commit_ref IS NOT NULL;

-- What a list was asked, under a name: a user's, or without one the project's.
CREATE TABLE saved_filter (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    account_id  INTEGER REFERENCES account (id) ON DELETE CASCADE,
    name        TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
    query       TEXT NOT NULL CHECK (length(query) <= 4000),
    created     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX saved_filter_name ON saved_filter (project_id, coalesce(account_id, 0), name);
CREATE INDEX saved_filter_account ON saved_filter (account_id);
