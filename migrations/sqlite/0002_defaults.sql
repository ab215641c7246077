-- The states and tags every site starts with, and its name. Edited rows are never overwritten.
INSERT INTO state (id, name, slug, ordering, action_required) VALUES
    (1, 'New', 'new', 0, 1),
    (2, 'Under Review', 'under-review', 1, 1),
    (3, 'Accepted', 'accepted', 2, 0),
    (4, 'Rejected', 'rejected', 3, 0),
    (5, 'RFC', 'rfc', 4, 0),
    (6, 'Not Applicable', 'not-applicable', 5, 0),
    (7, 'Changes Requested', 'changes-requested', 6, 0),
    (8, 'Awaiting Upstream', 'awaiting-upstream', 7, 0),
    (9, 'Superseded', 'superseded', 8, 0),
    (10, 'Deferred', 'deferred', 9, 0);

INSERT INTO tag (id, name, pattern, abbrev, show_column) VALUES
    (1, 'Acked-by', '^Acked-by:', 'A', 1),
    (2, 'Reviewed-by', '^Reviewed-by:', 'R', 1),
    (3, 'Tested-by', '^Tested-by:', 'T', 1);

INSERT INTO site (id, domain, name) VALUES (1, 'example.com', 'Patchwork');
