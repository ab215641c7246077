-- How many rows there are of what only grows, kept with the rows: lists of the API say their length without counting.
-- Reads patch, cover, series and event once; nobody else writes meanwhile.
CREATE TABLE tally (
    project_id  INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    category    TEXT NOT NULL,
    state_id    INTEGER NOT NULL,
    archived    INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    PRIMARY KEY (project_id, kind, category, state_id, archived)
) STRICT, WITHOUT ROWID;
INSERT INTO tally SELECT project_id, 'patch', '', state_id, archived, count(*) FROM patch GROUP BY project_id, state_id, archived;
INSERT INTO tally SELECT project_id, 'cover', '', 0, 0, count(*) FROM cover GROUP BY project_id;
INSERT INTO tally SELECT project_id, 'series', '', 0, 0, count(*) FROM series GROUP BY project_id;
INSERT INTO tally SELECT project_id, 'event', category, 0, 0, count(*) FROM event GROUP BY project_id, category;
