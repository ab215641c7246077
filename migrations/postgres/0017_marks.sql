-- What the checks of a patch say together and whether a comment asks for action is noted with the patch, so that lists of those need
-- not look at every check and comment. Takes a few seconds for each 100,000 checks, during which nothing is written.

-- check_state: the worst result of its checks that no newer one of the same reporter and context has replaced, nothing without checks.
ALTER TABLE patch ADD COLUMN check_state BIGINT CHECK (check_state BETWEEN 0 AND 3);
ALTER TABLE patch ADD COLUMN unaddressed BOOLEAN NOT NULL DEFAULT FALSE;

CREATE FUNCTION patch_check_combined(patch BIGINT) RETURNS BIGINT LANGUAGE sql STABLE AS $$
    SELECT c.state FROM patch_check c
     WHERE c.patch_id = patch
       AND NOT EXISTS (SELECT 1 FROM patch_check n
                        WHERE n.patch_id = c.patch_id AND n.account_id = c.account_id AND n.context = c.context
                          AND (n.date, n.id) > (c.date, c.id))
     ORDER BY CASE c.state WHEN 3 THEN 0 WHEN 2 THEN 1 WHEN 0 THEN 2 ELSE 3 END LIMIT 1
$$;

-- The same for all patches at once.
UPDATE patch p SET check_state = CASE c.worst WHEN 0 THEN 1 WHEN 1 THEN 0 ELSE c.worst END
  FROM (SELECT patch_id, max(CASE state WHEN 0 THEN 1 WHEN 1 THEN 0 ELSE state END) AS worst
          FROM (SELECT DISTINCT ON (patch_id, account_id, context) patch_id, state
                  FROM patch_check ORDER BY patch_id, account_id, context, date DESC, id DESC) newest
         GROUP BY patch_id) c
 WHERE p.id = c.patch_id;
UPDATE patch SET unaddressed = TRUE
 WHERE id IN (SELECT patch_id FROM comment WHERE addressed IS FALSE AND patch_id IS NOT NULL);

CREATE INDEX patch_check_state ON patch (check_state, project_id, date, id, archived, state_id, delegate_id, submitter_id)
    WHERE check_state IS NOT NULL;
CREATE INDEX patch_unaddressed ON patch (project_id, date, id, archived, state_id, delegate_id, submitter_id)
    WHERE unaddressed IS TRUE;

-- Triggers, so that no way of adding, changing or deleting a check or a comment can forget them; a check stays with its patch. The
-- patch is locked before anything is looked at: of two who write at once the second sees what the first has written.
CREATE FUNCTION patch_check_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM patch WHERE id IN (SELECT patch_id FROM changed) ORDER BY id FOR NO KEY UPDATE;
    UPDATE patch SET check_state = patch_check_combined(id)
     WHERE id IN (SELECT patch_id FROM changed) AND check_state IS DISTINCT FROM patch_check_combined(id);
    RETURN NULL;
END
$$;
CREATE TRIGGER patch_check_state_insert AFTER INSERT ON patch_check
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION patch_check_state();
CREATE TRIGGER patch_check_state_update AFTER UPDATE ON patch_check
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION patch_check_state();
CREATE TRIGGER patch_check_state_delete AFTER DELETE ON patch_check
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION patch_check_state();
CREATE FUNCTION patch_unaddressed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched BIGINT[];
BEGIN
    touched := CASE TG_OP WHEN 'INSERT' THEN ARRAY[new.patch_id] WHEN 'DELETE' THEN ARRAY[old.patch_id]
                          ELSE ARRAY[old.patch_id, new.patch_id] END;
    PERFORM 1 FROM patch WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;
    UPDATE patch p SET unaddressed = NOT p.unaddressed
     WHERE p.id = ANY (touched)
       AND p.unaddressed <> (EXISTS (SELECT 1 FROM comment c WHERE c.patch_id = p.id AND c.addressed IS FALSE));
    RETURN NULL;
END
$$;
CREATE TRIGGER patch_unaddressed_insert AFTER INSERT ON comment
    FOR EACH ROW WHEN (new.addressed IS FALSE AND new.patch_id IS NOT NULL) EXECUTE FUNCTION patch_unaddressed();
CREATE TRIGGER patch_unaddressed_update AFTER UPDATE OF addressed, patch_id ON comment
    FOR EACH ROW WHEN (old.addressed IS DISTINCT FROM new.addressed OR old.patch_id IS DISTINCT FROM new.patch_id)
    EXECUTE FUNCTION patch_unaddressed();
CREATE TRIGGER patch_unaddressed_delete AFTER DELETE ON comment
    FOR EACH ROW WHEN (old.addressed IS FALSE AND old.patch_id IS NOT NULL) EXECUTE FUNCTION patch_unaddressed();

-- The index of texts: lz4 costs a fraction of the default's time. Servers that were built without it keep the default.
DO $$
BEGIN
    EXECUTE 'ALTER TABLE search_doc ALTER words SET COMPRESSION lz4';
EXCEPTION WHEN syntax_error OR feature_not_supported THEN
    NULL;
END;
$$;
