//! How rows of other tables are named in forms and filters: by number, or by what people call them.

use super::Lookup;

/// Accounts, by login name.
pub static USER: Lookup = Lookup {
    options: "SELECT id, username FROM account ORDER BY username LIMIT 51",
    shown: "SELECT username FROM account WHERE id = ",
    find: "SELECT id FROM account WHERE lower(username) = ",
    closed: " ORDER BY id LIMIT 1",
};

/// Projects, by linkname.
pub static PROJECT: Lookup = Lookup {
    options: "SELECT id, linkname FROM project ORDER BY linkname LIMIT 51",
    shown: "SELECT linkname FROM project WHERE id = ",
    find: "SELECT id FROM project WHERE lower(linkname) = ",
    closed: " ORDER BY id LIMIT 1",
};

/// Webhooks, by address.
pub static WEBHOOK: Lookup = Lookup {
    options: "SELECT id, url FROM webhook ORDER BY url LIMIT 51",
    shown: "SELECT url FROM webhook WHERE id = ",
    find: "SELECT id FROM webhook WHERE lower(url) = ",
    closed: " ORDER BY id LIMIT 1",
};

/// States, by name or slug.
pub static STATE: Lookup = Lookup {
    options: "SELECT id, name FROM state ORDER BY ordering LIMIT 51",
    shown: "SELECT name FROM state WHERE id = ",
    find: "SELECT id FROM state WHERE slug = ",
    closed: " ORDER BY id LIMIT 1",
};

/// People, by address.
pub static PERSON: Lookup = Lookup {
    options: "",
    shown: "SELECT CASE WHEN coalesce(name, '') = '' THEN email ELSE name || ' <' || email || '>' END FROM person WHERE id = ",
    find: "SELECT id FROM person WHERE lower(email) = ",
    closed: " ORDER BY id LIMIT 1",
};

/// Patches, by message id.
pub static PATCH: Lookup = Lookup {
    options: "",
    shown: "SELECT name FROM patch WHERE id = ",
    find: "SELECT id FROM patch WHERE lower(msgid) = ",
    closed: " ORDER BY id LIMIT 1",
};

/// Cover letters, by message id.
pub static COVER: Lookup = Lookup {
    options: "",
    shown: "SELECT name FROM cover WHERE id = ",
    find: "SELECT id FROM cover WHERE lower(msgid) = ",
    closed: " ORDER BY id LIMIT 1",
};

/// Series, by name.
pub static SERIES: Lookup = Lookup {
    options: "",
    shown: "SELECT coalesce(name, 'Untitled series') FROM series WHERE id = ",
    find: "SELECT id FROM series WHERE lower(name) = ",
    closed: " ORDER BY id DESC LIMIT 1",
};

/// Groups, by name.
pub static GROUP: Lookup = Lookup {
    options: "SELECT id, name FROM account_group ORDER BY name LIMIT 51",
    shown: "SELECT name FROM account_group WHERE id = ",
    find: "SELECT id FROM account_group WHERE lower(name) = ",
    closed: " ORDER BY id LIMIT 1",
};
