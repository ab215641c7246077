-- The index of texts: what is said in patches, cover letters and comments, found word by word.
-- Makes tables, triggers, and an index of commits: takes a moment, during which nothing is written. What is there already is indexed afterwards, in the background.

-- A mail that is indexed. Its number is made of when it was written and which it is (store/search/number.rs), so the newest
-- come last. patch_id or cover_id is what it is, or what the comment hangs on. Words are cut before they come here
-- (domain/search/words.rs); those of the subject have weight A, of the message B, of the diff C, of the rest D.
CREATE TABLE search_doc (
    id          BIGINT PRIMARY KEY,
    project_id  BIGINT NOT NULL,
    patch_id    BIGINT,
    cover_id    BIGINT,
    comment_id  BIGINT,
    words       TSVECTOR NOT NULL
);
CREATE INDEX search_words ON search_doc USING gin (words);

-- Mails whose texts have changed and are to be indexed anew: kind 0 a patch, 1 a cover letter, 2 a comment.
CREATE TABLE search_wait (
    kind  BIGINT NOT NULL,
    id    BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);

-- How far mails are indexed that were there before: all but those with numbers less than `below`.
CREATE TABLE search_state (
    kind   BIGINT PRIMARY KEY,
    below  BIGINT NOT NULL
);
INSERT INTO search_state SELECT 0, coalesce(max(id), 0) + 1 FROM patch;
INSERT INTO search_state SELECT 1, coalesce(max(id), 0) + 1 FROM cover;
INSERT INTO search_state SELECT 2, coalesce(max(id), 0) + 1 FROM comment;
INSERT INTO job (kind, created) SELECT 'reindex', now() WHERE EXISTS (SELECT 1 FROM search_state WHERE below > 1);

-- Triggers, so that no way of changing or deleting a mail can forget the index.
CREATE FUNCTION search_number(kind BIGINT, id BIGINT, date TIMESTAMPTZ) RETURNS BIGINT LANGUAGE sql IMMUTABLE AS $$
    SELECT (greatest(0, least(floor(extract(epoch FROM date))::bigint, 17179869183)) << 29) | ((id * 4 + kind) & 536870911)
$$;
CREATE FUNCTION search_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM search_doc d WHERE d.id = search_number(TG_ARGV[0]::bigint, old.id, old.date);
    DELETE FROM search_wait w WHERE w.kind = TG_ARGV[0]::bigint AND w.id = old.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER search_patch_delete AFTER DELETE ON patch FOR EACH ROW EXECUTE FUNCTION search_deleted(0);
CREATE TRIGGER search_cover_delete AFTER DELETE ON cover FOR EACH ROW EXECUTE FUNCTION search_deleted(1);
CREATE TRIGGER search_comment_delete AFTER DELETE ON comment FOR EACH ROW EXECUTE FUNCTION search_deleted(2);
CREATE FUNCTION search_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM search_doc d WHERE d.id = search_number(TG_ARGV[0]::bigint, old.id, old.date);
    INSERT INTO search_wait VALUES (TG_ARGV[0]::bigint, new.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER search_patch_update AFTER UPDATE OF name, date, project_id, submitter_id ON patch
    FOR EACH ROW EXECUTE FUNCTION search_changed(0);
CREATE TRIGGER search_cover_update AFTER UPDATE OF name, date, content, project_id, submitter_id ON cover
    FOR EACH ROW EXECUTE FUNCTION search_changed(1);
CREATE TRIGGER search_comment_update AFTER UPDATE OF patch_id, cover_id, date, content, submitter_id ON comment
    FOR EACH ROW EXECUTE FUNCTION search_changed(2);
CREATE FUNCTION search_body_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_wait VALUES (0, new.patch_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER search_body_update AFTER UPDATE OF content, diff ON patch_body
    FOR EACH ROW EXECUTE FUNCTION search_body_changed();
-- Comments go with what they hang on.
CREATE FUNCTION search_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_ARGV[0] = '0' THEN
        INSERT INTO search_wait SELECT 2, c.id FROM comment c WHERE c.patch_id = new.id ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO search_wait SELECT 2, c.id FROM comment c WHERE c.cover_id = new.id ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER search_patch_move AFTER UPDATE OF project_id ON patch
    FOR EACH ROW WHEN (old.project_id <> new.project_id) EXECUTE FUNCTION search_moved(0);
CREATE TRIGGER search_cover_move AFTER UPDATE OF project_id ON cover
    FOR EACH ROW WHEN (old.project_id <> new.project_id) EXECUTE FUNCTION search_moved(1);

-- Commits are looked for by the beginning of their ids.
CREATE INDEX patch_commit ON patch (commit_ref COLLATE "C") WHERE commit_ref IS NOT NULL;
