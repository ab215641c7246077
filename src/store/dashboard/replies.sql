-- New replies to what somebody takes part in. What that is comes first, the newest 500 of each kind, so that nobody's page reads all
-- that was ever said; then the comments there that came after the last one seen.
WITH mine AS (
    SELECT id FROM person WHERE account_id = $1
),
about AS (
    SELECT patch_id, cover_id FROM (
        SELECT id AS patch_id, CAST(NULL AS BIGINT) AS cover_id FROM patch
         WHERE submitter_id IN (SELECT id FROM mine) ORDER BY date DESC, id DESC LIMIT 500
    ) sent
    UNION
    SELECT patch_id, cover_id FROM (
        SELECT CAST(NULL AS BIGINT) AS patch_id, id AS cover_id FROM cover
         WHERE submitter_id IN (SELECT id FROM mine) ORDER BY id DESC LIMIT 500
    ) announced
    UNION
    SELECT patch_id, cover_id FROM (
        SELECT id AS patch_id, CAST(NULL AS BIGINT) AS cover_id FROM patch
         WHERE delegate_id = $2 AND archived = FALSE
           AND state_id IN (SELECT id FROM state WHERE action_required = TRUE) ORDER BY id DESC LIMIT 500
    ) delegated
    UNION
    SELECT patch_id, cover_id FROM comment WHERE id IN (SELECT id FROM (
        SELECT id FROM comment
         WHERE submitter_id IN (SELECT id FROM mine) ORDER BY date DESC, id DESC LIMIT 500
    ) discussed)
),
seen AS (
    SELECT replies_seen AS id FROM account WHERE id = $3
),
fresh AS (
    SELECT c.id, c.submitter_id FROM about t JOIN comment c ON c.patch_id = t.patch_id
     WHERE c.id > (SELECT id FROM seen)
    UNION
    SELECT c.id, c.submitter_id FROM about t JOIN comment c ON c.cover_id = t.cover_id
     WHERE c.id > (SELECT id FROM seen)
)
SELECT c.id, c.date, pe.name AS submitter_name, pe.email AS submitter_email, pr.linkname,
       coalesce(p.msgid, v.msgid) AS msgid, coalesce(p.name, v.name) AS name,
       c.cover_id IS NOT NULL AS is_to_cover, coalesce(c.content, '') AS content
  FROM (SELECT id FROM fresh
         WHERE submitter_id NOT IN (SELECT id FROM person WHERE account_id = $4) AND id < $5
         ORDER BY id DESC LIMIT $6) page
  JOIN comment c ON c.id = page.id
  JOIN person pe ON pe.id = c.submitter_id
  LEFT JOIN patch p ON p.id = c.patch_id
  LEFT JOIN cover v ON v.id = c.cover_id
  JOIN project pr ON pr.id = coalesce(p.project_id, v.project_id)
 ORDER BY c.id DESC
