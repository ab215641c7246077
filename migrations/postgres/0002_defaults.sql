-- The states and tags every site starts with, and its name. Edited rows are never overwritten.
INSERT INTO state (id, name, slug, ordering, action_required) VALUES
    (1, 'New', 'new', 0, true),
    (2, 'Under Review', 'under-review', 1, true),
    (3, 'Accepted', 'accepted', 2, false),
    (4, 'Rejected', 'rejected', 3, false),
    (5, 'RFC', 'rfc', 4, false),
    (6, 'Not Applicable', 'not-applicable', 5, false),
    (7, 'Changes Requested', 'changes-requested', 6, false),
    (8, 'Awaiting Upstream', 'awaiting-upstream', 7, false),
    (9, 'Superseded', 'superseded', 8, false),
    (10, 'Deferred', 'deferred', 9, false);

INSERT INTO tag (id, name, pattern, abbrev, show_column) VALUES
    (1, 'Acked-by', '^Acked-by:', 'A', true),
    (2, 'Reviewed-by', '^Reviewed-by:', 'R', true),
    (3, 'Tested-by', '^Tested-by:', 'T', true);

INSERT INTO site (id, domain, name) VALUES (1, 'example.com', 'Patchwork');

-- Rows with ids of their own do not move the sequences.
SELECT setval(pg_get_serial_sequence('state', 'id'), (SELECT max(id) FROM state));
SELECT setval(pg_get_serial_sequence('tag', 'id'), (SELECT max(id) FROM tag));
