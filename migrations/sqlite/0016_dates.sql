-- Long lists in the order of dates, without a look at each patch. Makes three indexes: about a second for each 100,000 patches, during
-- which nothing is written.

-- Along the dates of a project; what lists ask of a patch is read from the index.
DROP INDEX patch_date;
CREATE INDEX patch_date ON patch (project_id, date, id, archived, state_id, delegate_id, submitter_id);
-- Along the dates of what lies on a desk, or on none.
CREATE INDEX patch_desk ON patch (delegate_id, project_id, date, id, archived, state_id);
-- Which patches somebody is asked about is read from the index alone.
DROP INDEX comment_open;
CREATE INDEX comment_open ON comment (patch_id, addressed) WHERE addressed IS FALSE AND patch_id IS NOT NULL;
