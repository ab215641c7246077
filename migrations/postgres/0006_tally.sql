-- How many rows there are of what only grows, kept with the rows: lists of the API say their length without counting.
-- Reads patch, cover, series and event once, and lets nobody write to them meanwhile.
LOCK TABLE patch, cover, series, event IN SHARE ROW EXCLUSIVE MODE;
CREATE TABLE tally (
    project_id  BIGINT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    category    TEXT NOT NULL,
    state_id    BIGINT NOT NULL,
    archived    BOOLEAN NOT NULL,
    count       BIGINT NOT NULL,
    PRIMARY KEY (project_id, kind, category, state_id, archived)
) WITH (fillfactor = 50);
INSERT INTO tally SELECT project_id, 'patch', '', state_id, archived, count(*) FROM patch GROUP BY project_id, state_id, archived;
INSERT INTO tally SELECT project_id, 'cover', '', 0, FALSE, count(*) FROM cover GROUP BY project_id;
INSERT INTO tally SELECT project_id, 'series', '', 0, FALSE, count(*) FROM series GROUP BY project_id;
INSERT INTO tally SELECT project_id, 'event', category, 0, FALSE, count(*) FROM event GROUP BY project_id, category;
