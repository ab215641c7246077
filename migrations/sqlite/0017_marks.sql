-- What the checks of a patch say together and whether a comment asks for action is noted with the patch, so that lists of those need
-- not look at every check and comment. Takes a few seconds for each 100,000 checks, during which nothing is written.

-- check_state: the worst result of its checks that no newer one of the same reporter and context has replaced, nothing without checks.
ALTER TABLE patch ADD COLUMN check_state INTEGER CHECK (check_state BETWEEN 0 AND 3);
ALTER TABLE patch ADD COLUMN unaddressed INTEGER NOT NULL DEFAULT 0;

CREATE VIEW patch_check_combined AS
SELECT p.id AS patch_id,
       (SELECT c.state FROM patch_check c
         WHERE c.patch_id = p.id
           AND NOT EXISTS (SELECT 1 FROM patch_check n
                            WHERE n.patch_id = c.patch_id AND n.account_id = c.account_id AND n.context = c.context
                              AND (n.date, n.id) > (c.date, c.id))
         ORDER BY CASE c.state WHEN 3 THEN 0 WHEN 2 THEN 1 WHEN 0 THEN 2 ELSE 3 END LIMIT 1) AS state
  FROM patch p;

UPDATE patch SET check_state = (SELECT state FROM patch_check_combined WHERE patch_id = patch.id)
 WHERE id IN (SELECT patch_id FROM patch_check);
UPDATE patch SET unaddressed = 1
 WHERE id IN (SELECT patch_id FROM comment WHERE addressed IS FALSE AND patch_id IS NOT NULL);

CREATE INDEX patch_check_state ON patch (check_state, project_id, date, id, archived, state_id, delegate_id, submitter_id)
    WHERE check_state IS NOT NULL;
CREATE INDEX patch_unaddressed ON patch (project_id, date, id, archived, state_id, delegate_id, submitter_id)
    WHERE unaddressed IS TRUE;

-- Triggers, so that no way of adding, changing or deleting a check or a comment can forget them; a check stays with its patch.
CREATE TRIGGER patch_check_state_insert AFTER INSERT ON patch_check BEGIN
    UPDATE patch SET check_state = (SELECT state FROM patch_check_combined WHERE patch_id = new.patch_id)
     WHERE id = new.patch_id
       AND check_state IS NOT (SELECT state FROM patch_check_combined WHERE patch_id = new.patch_id);
END;
CREATE TRIGGER patch_check_state_update AFTER UPDATE OF account_id, date, state, context ON patch_check BEGIN
    UPDATE patch SET check_state = (SELECT state FROM patch_check_combined WHERE patch_id = new.patch_id)
     WHERE id = new.patch_id
       AND check_state IS NOT (SELECT state FROM patch_check_combined WHERE patch_id = new.patch_id);
END;
CREATE TRIGGER patch_check_state_delete AFTER DELETE ON patch_check BEGIN
    UPDATE patch SET check_state = (SELECT state FROM patch_check_combined WHERE patch_id = old.patch_id)
     WHERE id = old.patch_id
       AND check_state IS NOT (SELECT state FROM patch_check_combined WHERE patch_id = old.patch_id);
END;
CREATE TRIGGER patch_unaddressed_insert AFTER INSERT ON comment WHEN new.addressed IS FALSE AND new.patch_id IS NOT NULL BEGIN
    UPDATE patch SET unaddressed = 1 WHERE id = new.patch_id AND unaddressed = 0;
END;
CREATE TRIGGER patch_unaddressed_update AFTER UPDATE OF addressed, patch_id ON comment
WHEN old.addressed IS NOT new.addressed OR old.patch_id IS NOT new.patch_id BEGIN
    UPDATE patch SET unaddressed = (EXISTS (SELECT 1 FROM comment c WHERE c.patch_id = patch.id AND c.addressed IS FALSE))
     WHERE id IN (old.patch_id, new.patch_id);
END;
CREATE TRIGGER patch_unaddressed_delete AFTER DELETE ON comment WHEN old.addressed IS FALSE AND old.patch_id IS NOT NULL BEGIN
    UPDATE patch SET unaddressed = (EXISTS (SELECT 1 FROM comment c WHERE c.patch_id = patch.id AND c.addressed IS FALSE))
     WHERE id = old.patch_id;
END;

-- The index of texts is written in larger pieces, which are merged less often.
INSERT INTO search_index (search_index, rank) VALUES ('pgsz', 16000);
INSERT INTO search_index (search_index, rank) VALUES ('automerge', 8);
